/** The answer → what was granted, and in what it differs from what was asked for. */
import type { Oauth2Config } from '../../../policy/providers/oauth2.ts';
import { numberAt, textAt } from '../../json-body.ts';
import type { JsonAnswer } from '../../json-exchange.ts';
import type { LeaseFault } from '../../provider.ts';
import { tokenTypeUrn } from './ask-token.ts';
import { scopeWordsIn, type Told } from './told.ts';

export interface Granted {
  /** By this machine's clock; an invalid date where nothing tells the life. */
  readonly expiresAt: Date;
  /** The end by the server's own clock, in Unix seconds, where the token or its introspection says it. */
  readonly exp: number | null;
  /** Of the words asked for, those that were granted; where none were asked for, all of them. */
  readonly scope: readonly string[];
  readonly principal: string;
  readonly jti: string | null;
  readonly fault: LeaseFault | null;
  readonly warnings: readonly string[];
}

/**
 * Judges a token answer (RFC 6749 section 5.1, RFC 8693 section 2.2). `told` is what the token's claims and its
 * introspection say: whatever any of them says more than was asked for is a fault. `life` is how long it may live, in
 * seconds.
 */
export function judgeAnswer(
  answer: JsonAnswer,
  told: readonly Told[],
  config: Oauth2Config,
  life: number,
): Granted {
  const scopes = [scopeWordsIn(answer.body?.['scope']), ...told.map(({ scope }) => scope)].filter(isThere);
  const exp = latest(told.map((one) => one.exp).filter(isThere));
  const expiresAt = expiryOf(answer, exp);
  const subjects = told.map(({ subject }) => subject).filter(isThere);
  const clients = told.map(({ clientId }) => clientId).filter(isThere);
  const fault =
    kindFault(answer, told, config) ??
    principalFault(subjects, clients, config) ??
    scopeFault(scopes, config) ??
    audienceFault(told, config) ??
    lifeFault(answer, expiresAt, life);
  return {
    expiresAt,
    exp,
    scope: grantedWords(scopes, config),
    principal: subjects[0] ?? clients[0] ?? config.clientId ?? 'unknown',
    jti: told.map(({ jti }) => jti).find(isThere) ?? null,
    fault,
    warnings: [...narrower(scopes, config), ...kept(answer), ...spare(answer)],
  };
}

/** `expires_in` counts from the answer; `exp` is by the server's clock. Whoever goes by the later one is right too. */
function expiryOf(answer: JsonAnswer, exp: number | null): Date {
  const expiresIn = numberAt(answer.body, 'expires_in') ?? digitsAt(answer);
  const ends = [
    ...(expiresIn === null ? [] : [answer.receivedAt.getTime() + expiresIn * 1000]),
    ...(exp === null ? [] : [(exp + (answer.skew ?? 0)) * 1000]),
  ];
  return new Date(latest(ends) ?? Number.NaN);
}

/** Some servers quote the number. */
function digitsAt({ body }: JsonAnswer): number | null {
  const text = textAt(body, 'expires_in') ?? '';
  return /^\d{1,10}$/.test(text) ? Number(text) : null;
}

function kindFault(answer: JsonAnswer, told: readonly Told[], config: Oauth2Config): LeaseFault | null {
  const invalid = (text: string, hint?: string): LeaseFault => ({
    code: 'ERR_PROVIDER_INVALID_RESPONSE',
    text,
    hint,
  });
  const type = textAt(answer.body, 'token_type')?.toLowerCase();
  const issued = textAt(answer.body, 'issued_token_type');
  const isExchange = config.grant === 'token-exchange';
  if (isExchange && issued === null)
    return invalid('issued a token without saying of which type (issued_token_type)');
  const asked = config.requestedTokenType;
  const wanted = (asked === null ? (['access_token', 'jwt'] as const) : [asked]).map(tokenTypeUrn);
  if (issued !== null && !wanted.includes(issued)) {
    return invalid('issued a token of another type than was asked for', 'look at requested_token_type');
  }
  // RFC 8693 section 2.2.1: N_A where what was issued is no access token.
  const notApplicable = isExchange && type === 'n_a' && issued === tokenTypeUrn('jwt');
  if (type !== 'bearer' && !notApplicable) {
    return invalid(
      type === 'dpop'
        ? 'issued a token that is bound to a key (DPoP)'
        : 'issued a token that is not of type Bearer',
      'have the server issue bearer tokens to this client: the command has no key to go with another one',
    );
  }
  if (told.some(({ bound }) => bound)) {
    return invalid(
      'issued a token that works only with a key that goes with it (cnf)',
      'turn bound access tokens off for this client at the server: the command has no such key',
    );
  }
  return null;
}

function principalFault(
  subjects: readonly string[],
  clients: readonly string[],
  { subject, clientId }: Oauth2Config,
): LeaseFault | null {
  const wrong = (text: string, hint?: string): LeaseFault => ({
    code: 'ERR_PROVIDER_WRONG_PRINCIPAL',
    text,
    hint,
  });
  if (subject !== null && subjects.length === 0) {
    return wrong(
      'issued a token without saying whom it speaks for',
      'delete subject from the map, or let the client introspect its tokens',
    );
  }
  if (subject !== null && subjects.some((one) => one !== subject)) {
    return wrong(
      'issued a token for another subject than the map names',
      'look at subject, and at the source',
    );
  }
  if (clientId !== null && clients.some((one) => one !== clientId)) {
    return wrong("issued another client's token", 'look at client_id');
  }
  return null;
}

/** How many words are too many is said; which they are is the server's text. */
function scopeFault(scopes: readonly (readonly string[])[], { scope }: Oauth2Config): LeaseFault | null {
  if (scope === null) return null;
  const more = new Set(scopes.flat().filter((word) => !scope.includes(word))).size;
  if (more === 0) return null;
  const text = `issued a token that may do more than was asked for: ${more} scope ${more === 1 ? 'word' : 'words'} more`;
  return {
    code: 'ERR_PROVIDER_SCOPE',
    text,
    hint: "take the server's default scopes away from this client, or name them in the map under scope",
  };
}

function audienceFault(told: readonly Told[], config: Oauth2Config): LeaseFault | null {
  const allowed = [...config.audience, ...config.resource, ...config.tokenAudience];
  if (allowed.length === 0) return null;
  const others = told.flatMap(({ audience }) => audience ?? []).some((one) => !allowed.includes(one));
  if (!others) return null;
  return {
    code: 'ERR_PROVIDER_SCOPE',
    text: 'issued a token that other services take too, by its audience',
    hint: 'name in the map what its aud may say, where that is right: token_audience: [...]',
  };
}

/** How far clocks may be apart; as for every lease. */
const SKEW_SECONDS = 60;

function lifeFault(answer: JsonAnswer, expiresAt: Date, life: number): LeaseFault | null {
  const seconds = Math.round((expiresAt.getTime() - answer.receivedAt.getTime()) / 1000);
  if (Number.isNaN(seconds)) {
    return {
      code: 'ERR_PROVIDER_EXPIRY',
      text: 'issued a token without an expiry: neither expires_in nor its introspection says one',
      hint: 'let the client introspect its tokens, or have the server answer with expires_in',
    };
  }
  if (seconds <= life + SKEW_SECONDS) return null;
  return {
    code: 'ERR_PROVIDER_EXPIRY',
    text: `issued a token for ${seconds} s, longer than the ${life} s that it may live`,
    hint: `where the server's tokens live so long, accept it in the map: token_life: ${seconds}; the run ends at its ttl all the same`,
  };
}

function grantedWords(scopes: readonly (readonly string[])[], { scope }: Oauth2Config): readonly string[] {
  // RFC 6749 section 5.1: without a scope in the answer it is the one that was asked for.
  if (scope !== null) return scope.filter((word) => scopes.every((words) => words.includes(word)));
  return (scopes[0] ?? []).filter((word) => /^[\w.:/-]{1,64}$/.test(word)).slice(0, 32);
}

function narrower(scopes: readonly (readonly string[])[], config: Oauth2Config): readonly string[] {
  const granted = grantedWords(scopes, config);
  const missing = (config.scope ?? []).filter((word) => !granted.includes(word));
  return missing.length === 0
    ? []
    : [`the server did not grant all that was asked for; missing: ${missing.join(', ')}`];
}

/** RFC 6749 section 5.1 asks for `no-store`: what is between might keep the token. */
function kept({ headers, who }: JsonAnswer): readonly string[] {
  if (/\bno-store\b/i.test(headers['cache-control'] ?? '')) return [];
  return [`"${who}" does not forbid caches to keep its answer (Cache-Control: no-store)`];
}

function spare({ body }: JsonAnswer): readonly string[] {
  return textAt(body, 'refresh_token') === null
    ? []
    : ['the server also issued a refresh token, which the command does not get'];
}

function isThere<T>(value: T | null): value is T {
  return value !== null;
}

function latest(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.max(...values);
}
