/** Provider `oauth2`: a token of an OAuth 2.0 server, exchanged for another one or granted to a client. */
import { formatDuration } from '../../base/duration.ts';
import { escapeValue } from '../../base/escape.ts';
import { anotherOne, canonical, compareBounds, KIND_OF, type MapChange } from '../diff/change.ts';
import { compareTokens } from '../diff/compare-tokens.ts';
import { mapWord } from '../map-word.ts';
import { seconds } from '../schema-fields.ts';
import { absolute } from '../sources/fields.ts';
import { normaliseSource, type Source } from '../sources/index.ts';
import { compareSources, sourceText } from '../sources/source-text.ts';
import { pairs, type Row, words } from '../summary-text.ts';
import { compareFields, type FieldComparisons } from './compare-fields.ts';
import { type ProviderPolicy, type RawOf, TOKEN_VARIABLE } from './descriptor.ts';
import { checkOauth2 } from './oauth2/check.ts';
import { OAUTH2_SOURCES, oauth2Fields, type TOKEN_TYPES } from './oauth2/fields.ts';

export type TokenType = (typeof TOKEN_TYPES)[number];

/** How the client shows who it is. Paths are absolute. */
export type ClientAuth =
  | {
      readonly type: 'private-key-jwt';
      readonly keyFile: string;
      readonly keyId: string | null;
      readonly audience: string | null;
    }
  | { readonly type: 'mtls'; readonly certFile: string; readonly keyFile: string }
  | { readonly type: 'secret-file'; readonly path: string; readonly method: 'basic' | 'post' }
  | { readonly type: 'none' };

/** The sources whose token can be exchanged. */
export type SubjectSource = Extract<Source, { type: (typeof OAUTH2_SOURCES)[number] }>;

export interface Oauth2Config {
  readonly provider: 'oauth2';
  /** Exactly one of `issuer` and `tokenEndpoint` is there. */
  readonly issuer: string | null;
  readonly tokenEndpoint: string | null;
  readonly revocationEndpoint: string | null;
  readonly introspectionEndpoint: string | null;
  readonly caFile: string | null;
  readonly grant: 'token-exchange' | 'client-credentials';
  /** Null for a public client without a name only. */
  readonly clientId: string | null;
  readonly clientAuth: ClientAuth;
  /** There for a token exchange, and for nothing else. */
  readonly source: SubjectSource | null;
  readonly subjectTokenType: TokenType;
  readonly requestedTokenType: 'access_token' | 'jwt' | null;
  readonly audience: readonly string[];
  readonly resource: readonly string[];
  /** Null leaves it to the server. */
  readonly scope: readonly string[] | null;
  readonly tokenAudience: readonly string[];
  readonly subject: string | null;
  /** Seconds; null for no longer than the grant. */
  readonly tokenLife: number | null;
  readonly ttlParameter: string | null;
  /** URL; null for none. */
  readonly probe: string | null;
}

/** No tool expects a name of its own for a token of just any server. */
const DEFAULT_INJECT: Readonly<Record<string, string>> = { [TOKEN_VARIABLE]: 'token' };

const COMPARISONS: FieldComparisons<Oauth2Config> = {
  issuer: 'widening',
  tokenEndpoint: 'widening',
  revocationEndpoint: 'widening',
  introspectionEndpoint: 'widening',
  caFile: 'widening',
  grant: 'widening',
  clientId: 'widening',
  clientAuth: 'widening',
  source: compareSubjects,
  subjectTokenType: 'widening',
  requestedTokenType: 'widening',
  audience: 'widening',
  resource: 'widening',
  scope: compareScope,
  tokenAudience: 'widening',
  subject: 'widening',
  tokenLife: compareLife,
  ttlParameter: 'widening',
  probe: 'widening', // the token is sent there
};

export const oauth2: ProviderPolicy<typeof oauth2Fields, Oauth2Config> = {
  name: 'oauth2',
  fields: oauth2Fields,
  examples: {
    issuer: 'issuer: https://id.example.com',
    grant: 'grant: token-exchange',
    client_auth: 'client_auth: {type: private-key-jwt, key_file: client.pem}',
    source: 'source: {type: github-actions, audience: https://id.example.com}',
    scope: 'scope: [artifacts:read]',
    audience: 'audience: [artifacts.example.com]',
    resource: 'resource: [https://artifacts.example.com]',
    probe: 'probe: {url: https://artifacts.example.com/whoami}',
  },
  sources: OAUTH2_SOURCES,
  normalise: (raw, dir) => ({
    provider: raw.provider,
    issuer: raw.issuer ?? null,
    tokenEndpoint: raw.token_endpoint ?? null,
    revocationEndpoint: raw.revocation_endpoint ?? null,
    introspectionEndpoint: raw.introspection_endpoint ?? null,
    caFile: absolute(raw.ca_file, dir),
    grant: raw.grant,
    clientId: raw.client_id ?? null,
    clientAuth: normaliseAuth(raw.client_auth, dir),
    source: raw.source === undefined ? null : normaliseSource(raw.source, dir),
    subjectTokenType: raw.subject_token_type ?? 'jwt',
    requestedTokenType: raw.requested_token_type ?? null,
    audience: raw.audience ?? [],
    resource: raw.resource ?? [],
    scope: raw.scope ?? null,
    tokenAudience: raw.token_audience ?? [],
    subject: raw.subject ?? null,
    tokenLife: raw.token_life === undefined ? null : seconds(raw.token_life),
    ttlParameter: raw.ttl_parameter ?? null,
    probe: raw.probe?.url ?? null,
  }),
  check: checkOauth2,
  leaseValues: ['token', 'expires_at'],
  injectHelp: 'Child variables and the values of the lease they get; CAPWRAP_TOKEN gets the token by default',
  defaultInject: () => DEFAULT_INJECT,
  spellsOutInject: true,
  credentialNames: [],
  scopeWords: ({ scope }) => scope ?? [],
  target: targetOf,
  reach: ({ scope }) => scope ?? ['whatever the server grants'],
  summaryRows,
  proofs: ({ source }) => (source === null ? [] : [{ at: 'source', source }]),
  compare: (before, after, at) => compareFields(COMPARISONS, before, after, at),
  *lint({ scope }, capability) {
    if (scope !== null) return;
    yield {
      code: 'broad',
      at: `capabilities.${capability}.scope`,
      message: `"${capability}" names no scope: the server decides what its token may do`,
      fix: 'name what is needed: scope: [artifacts:read]',
    };
  },
};

/** Whom the token is for, and who issues it. */
function targetOf(config: Oauth2Config): string {
  const services = [...config.audience, ...config.resource].join(', ');
  const server = config.issuer ?? config.tokenEndpoint ?? '';
  return services === '' ? server : `${services} (${server})`;
}

function normaliseAuth(raw: RawOf<typeof oauth2Fields>['client_auth'], dir: string): ClientAuth {
  const file = (path: string) => absolute(path, dir) ?? path;
  switch (raw.type) {
    case 'private-key-jwt':
      return {
        type: raw.type,
        keyFile: file(raw.key_file),
        keyId: raw.key_id ?? null,
        audience: raw.audience ?? null,
      };
    case 'mtls':
      return { type: raw.type, certFile: file(raw.cert_file), keyFile: file(raw.key_file) };
    case 'secret-file':
      return { type: raw.type, path: file(raw.path), method: raw.method ?? 'basic' };
    case 'none':
      return { type: raw.type };
  }
}

function summaryRows(config: Oauth2Config): readonly Row[] {
  const one = (label: string, value: string | null): Row => [label, value && escapeValue(value)];
  const many = (label: string, values: readonly string[]): Row => [
    label,
    values.length === 0 ? null : words(values),
  ];
  const { clientAuth, source, scope, tokenLife } = config;
  const { type, ...how } = clientAuth;
  return [
    one('issuer', config.issuer),
    one('token endpoint', config.tokenEndpoint),
    one('revocation', config.revocationEndpoint),
    one('introspection', config.introspectionEndpoint),
    one('ca file', config.caFile),
    one('grant', config.grant),
    one('client', config.clientId),
    ['client auth', [type, ...pairs(mapWords(how))].join(' ')],
    ['source', source && sourceText(source)],
    one('subject type', source && config.subjectTokenType),
    one('requested type', config.requestedTokenType),
    many('audience', config.audience),
    many('resource', config.resource),
    ['scope', scope === null ? 'whatever the server grants' : words(scope)],
    many('token audience', config.tokenAudience),
    one('subject', config.subject),
    one('token life', tokenLife === null ? null : formatDuration(tokenLife)),
    one('ttl parameter', config.ttlParameter),
    one('probe', config.probe),
  ];
}

/** The fields by the names that the map has for them. */
function mapWords(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [mapWord(name), value]));
}

function compareSubjects(before: SubjectSource | null, after: SubjectSource | null, at: string): MapChange[] {
  if (before !== null && after !== null) return compareSources(before, after, at);
  if (before === after) return [];
  return [anotherOne('widening', at, 'source', before && sourceText(before), after && sourceText(after))];
}

/** Without a list the server decides, which may be anything. */
function compareScope(
  before: readonly string[] | null,
  after: readonly string[] | null,
  at: string,
): MapChange[] {
  if (before !== null && after !== null) return compareTokens(before, after, at);
  if (before === after) return [];
  const kind = after === null ? 'widening' : 'narrowing';
  return [anotherOne(kind, at, 'scope', before && canonical(before), after && canonical(after))];
}

function compareLife(before: number | null, after: number | null, at: string): MapChange[] {
  const text = (life: number | null) => (life === null ? null : formatDuration(life));
  // None is the shortest: no longer than the grant.
  const direction = compareBounds(before ?? 0, after ?? 0);
  return direction === 'same'
    ? []
    : [anotherOne(KIND_OF[direction], at, 'token_life', text(before), text(after))];
}
