/**
 * An OAuth 2.0 server and a resource behind it: RFC 6749, 7009, 7523, 7662, 8414, 8693, 8705. What the standards let a
 * server check, this one checks.
 */
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { ServerOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { createLocalJWKSet, exportJWK, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import { type Call, Refusal, type Reply, reply } from '../call.ts';
import { IssuedCredentials } from '../issued.ts';
import { startIssuer, type TestIssuer } from '../kit.ts';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const TYPE = 'urn:ietf:params:oauth:token-type:';

/** A client that the server knows, by the one way in which it shows who it is. */
export type KnownClient = {
  readonly id: string;
  readonly scope: readonly string[];
} & (
  | { readonly method: 'private_key_jwt'; readonly jwks: JSONWebKeySet }
  | { readonly method: 'tls_client_auth'; readonly certificate: string }
  | { readonly method: 'client_secret_basic' | 'client_secret_post'; readonly secret: string }
  | { readonly method: 'none' }
);

export interface Oauth2Options {
  readonly clients: readonly KnownClient[];
  /** Whose tokens can be exchanged: the issuer and its keys. */
  readonly subjects?: { readonly issuer: string; readonly jwks: JSONWebKeySet };
  /** Path of the issuer's name: `/realms/a`. */
  readonly path?: string;
  /** Which document is published. */
  readonly discovery?: 'oauth' | 'oidc' | 'none';
  /** Opaque tokens instead of JWTs. */
  readonly opaque?: boolean;
  /** Seconds that tokens live; 900 where it isn't given. */
  readonly life?: number;
  /** The parameter by which this server takes a life. */
  readonly lifeParameter?: string;
  /** Audiences that are known; any other is refused. */
  readonly audiences?: readonly string[];
  /** Is put into the `aud` of every token. */
  readonly extraAudience?: string;
  /** The resource checks the token's signature and time by itself: it does not notice a revocation. */
  readonly local?: boolean;
  readonly refreshTokens?: boolean;
  readonly tls?: ServerOptions;
}

export interface Oauth2Server extends TestIssuer {
  readonly issuer: string;
  live(): number;
  /** Kinds of token that were revoked, in order. */
  readonly revoked: readonly string[];
  /** Rewrites the answers of routes from here on. */
  rewrite(
    route: string,
    change: (json: Record<string, unknown>) => unknown,
    headers?: Record<string, string>,
  ): void;
  /** Gives the answers of a route another status from here on. */
  answerWith(route: string, status: number): void;
  /** Answers of the revocation endpoint, in order, before it does what it should. */
  readonly revocationAnswers: Reply[];
}

interface Granted {
  readonly expiresAt: Date;
  readonly clientId: string;
  readonly subject: string;
  readonly scope: string;
  readonly audience: readonly string[];
  readonly jti: string;
}

const PROOF = ['client_id', 'client_secret', 'client_assertion', 'client_assertion_type'] as const;

export async function startOauth2Server(options: Oauth2Options): Promise<Oauth2Server> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const changes = new Map<string, (reply: Reply) => Reply>();
  const revoked: string[] = [];
  const revocationAnswers: Reply[] = [];
  const path = options.path ?? '';
  let state: { readonly tokens: IssuedCredentials<Granted>; readonly refresh: Set<string> } | undefined;
  const server = await startIssuer({
    ...(options.tls && { tls: options.tls }),
    routes: (issuer) => {
      const tokens = new IssuedCredentials<Granted>(issuer.now);
      const refresh = new Set<string>();
      const seen = new Set<string>();
      state = { tokens, refresh };
      const self = () => `${issuer.url}${path}`;
      const known: ClientCheck = { options, issuer, audience: self, seen };
      const route = (
        name: string,
        method: string,
        at: string,
        handle: (call: Call) => Reply | Promise<Reply>,
      ) => ({
        name,
        method,
        path: at,
        handle: async (call: Call) => (changes.get(name) ?? ((it) => it))(await handle(call)),
      });
      const published = (kind: 'oauth' | 'oidc') => () => {
        if ((options.discovery ?? 'oauth') !== kind) throw new Refusal(404, 'not_found');
        return reply(200, {
          issuer: self(),
          token_endpoint: `${issuer.url}/token`,
          revocation_endpoint: `${issuer.url}/revoke`,
          introspection_endpoint: `${issuer.url}/introspect`,
          token_endpoint_auth_methods_supported: options.clients.map(({ method }) => method),
        });
      };
      return [
        route('discovery', 'GET', `/.well-known/oauth-authorization-server${path}`, published('oauth')),
        route('oidc_discovery', 'GET', `${path}/.well-known/openid-configuration`, published('oidc')),
        route('token', 'POST', '/token', async (call) => {
          const form = call.formLists([...PROOF, ...TOKEN_PARAMETERS, options.lifeParameter ?? 'scope']);
          const client = await clientOf(call, form, known);
          const subject = await subjectOf(form, client, known);
          const life = lifeOf(form, options) + (call.misbehaves('longer_than_asked') ? 3600 : 0);
          const seconds = call.misbehaves('expired_on_arrival') ? -5 : life;
          const asked = (one(form, 'scope') ?? '').split(' ').filter(Boolean);
          if (asked.some((word) => !client.scope.includes(word))) throw new Refusal(400, 'invalid_scope');
          const wider = call.misbehaves('wider_than_asked') ? ['admin:all'] : [];
          const audience = [...(form.get('audience') ?? []), ...(form.get('resource') ?? [])];
          if (options.audiences && audience.some((name) => !options.audiences?.includes(name)))
            throw new Refusal(400, 'invalid_target');
          const jti = issuer.secret('').slice(0, 20);
          const granted: Granted = {
            expiresAt: new Date(issuer.now().getTime() + seconds * 1000),
            clientId: client.id,
            subject: call.misbehaves('wrong_principal') ? 'somebody-else' : subject,
            scope: [...asked, ...wider].join(' '),
            audience: options.extraAudience === undefined ? audience : [...audience, options.extraAudience],
            jti,
          };
          const token = options.opaque
            ? issuer.secret('opaque_')
            : issuer.keep(await signed(granted, self(), privateKey, issuer.now()));
          tokens.add(token, granted);
          const refreshToken = options.refreshTokens ? issuer.secret('refresh_') : null;
          if (refreshToken !== null) refresh.add(refreshToken);
          const exchange = one(form, 'grant_type') === EXCHANGE;
          const newline = call.misbehaves('value_with_newline');
          return reply(
            200,
            {
              access_token: newline ? `${token}\n` : token,
              token_type: 'Bearer',
              expires_in: seconds,
              scope: granted.scope,
              ...(exchange && {
                issued_token_type: one(form, 'requested_token_type') ?? `${TYPE}access_token`,
              }),
              ...(refreshToken !== null && { refresh_token: refreshToken }),
            },
            { 'cache-control': 'no-store' },
          );
        }),
        route('revoke', 'POST', '/revoke', async (call) => {
          const form = call.formLists([...PROOF, 'token', 'token_type_hint']);
          await clientOf(call, form, known);
          const token = one(form, 'token') ?? '';
          const next = revocationAnswers.shift();
          if (next !== undefined) return next;
          if (call.misbehaves('revoke_fails')) throw new Refusal(400, 'invalid_request');
          if (call.misbehaves('still_alive')) return reply(200);
          if (refresh.delete(token)) revoked.push('refresh_token');
          // 200 for a token that nobody has ever seen, too (RFC 7009 section 2.2).
          if (tokens.revoke(token)) revoked.push('access_token');
          return reply(200);
        }),
        route('introspect', 'POST', '/introspect', async (call) => {
          const form = call.formLists([...PROOF, 'token', 'token_type_hint']);
          const client = await clientOf(call, form, known);
          const found = tokens.find(one(form, 'token'));
          if (found === null || found.clientId !== client.id) return reply(200, { active: false });
          return reply(200, { active: true, token_type: 'Bearer', ...claimsOf(found, self()) });
        }),
        {
          name: 'artifact',
          method: 'GET',
          path: /\/artifacts\/[\w.]+/,
          handle(call) {
            const found = tokens.find(call.bearer());
            if (found === null) throw new Refusal(401, 'invalid_token');
            if (!found.scope.split(' ').includes('artifacts:read'))
              throw new Refusal(403, 'insufficient_scope');
            return { status: 200, text: `${call.path} for ${found.subject}\n` };
          },
        },
        route('whoami', 'GET', '/whoami', async (call) => {
          call.assertNoBody();
          const token = call.bearer();
          const fine = options.local
            ? await jwtVerify(token ?? '', publicKey, { currentDate: issuer.now() }).then(
                () => true,
                () => false,
              )
            : tokens.find(token) !== null;
          if (fine) return reply(200, { you: 'are known' });
          throw new Refusal(401, 'invalid_token', 'over', {
            'www-authenticate': 'Bearer error="invalid_token"',
          });
        }),
      ];
    },
  });
  const change = (route: string, next: (it: Reply) => Reply) => {
    const before = changes.get(route) ?? ((it: Reply) => it);
    changes.set(route, (it) => next(before(it)));
  };
  return Object.assign(server, {
    issuer: `${server.url}${path}`,
    live: () => state?.tokens.live() ?? 0,
    revoked,
    revocationAnswers,
    rewrite(route: string, next: (json: Record<string, unknown>) => unknown, headers = {}) {
      change(route, (it) => ({
        ...it,
        json: next(it.json as Record<string, unknown>),
        headers: { ...it.headers, ...headers },
      }));
    },
    answerWith: (route: string, status: number) => change(route, (it) => ({ ...it, status })),
  });
}

const TOKEN_PARAMETERS = [
  'grant_type',
  'scope',
  'audience',
  'resource',
  'subject_token',
  'subject_token_type',
  'requested_token_type',
] as const;

type Form = ReadonlyMap<string, readonly string[]>;

/** RFC 6749 section 3.2: but for `audience` and `resource`, nothing comes twice. */
function one(form: Form, name: string): string | null {
  const values = form.get(name) ?? [];
  if (values.length > 1) throw new Refusal(400, 'invalid_request', `"${name}" comes twice`);
  return values[0] ?? null;
}

interface ClientCheck {
  readonly options: Oauth2Options;
  readonly issuer: TestIssuer;
  readonly audience: () => string;
  /** Ids of assertions that were shown. */
  readonly seen: Set<string>;
}

/** The one client whose proof it is; more than one kind of proof is refused (RFC 6749 section 2.3). */
async function clientOf(call: Call, form: Form, check: ClientCheck): Promise<KnownClient> {
  const basic = call.basic();
  const assertion = one(form, 'client_assertion');
  const secret = one(form, 'client_secret');
  if ([basic, assertion, secret].filter((it) => it !== null).length > 1)
    throw new Refusal(400, 'invalid_request');
  const challenge = basic === null ? {} : { 'www-authenticate': 'Basic realm="test"' };
  const refuse = () => new Refusal(401, 'invalid_client', 'not this client', challenge);
  const id = basic?.[0] ?? one(form, 'client_id');
  const client = check.options.clients.find((it) => it.id === id);
  if (client === undefined) throw refuse();
  switch (client.method) {
    case 'client_secret_basic':
      if (basic?.[1] !== client.secret) throw refuse();
      return client;
    case 'client_secret_post':
      if (secret !== client.secret) throw refuse();
      return client;
    case 'private_key_jwt':
      if (one(form, 'client_assertion_type') !== 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
        throw refuse();
      if (!(await isSound(assertion ?? '', client, check))) throw refuse();
      return client;
    case 'tls_client_auth': {
      const { raw } = (call.request.socket as TLSSocket).getPeerCertificate();
      const fingerprint = (pem: string | Buffer) => createHash('sha256').update(pem).digest('hex');
      const known = Buffer.from(client.certificate.replace(/-----[^-]+-----|\s/g, ''), 'base64');
      if (raw === undefined || fingerprint(raw) !== fingerprint(known)) throw refuse();
      return client;
    }
    case 'none':
      if (basic !== null || assertion !== null || secret !== null) throw refuse();
      return client;
  }
}

/** RFC 7523 section 3, with the audience as its update of 2025 has it, and each assertion once. */
async function isSound(
  assertion: string,
  client: KnownClient & { method: 'private_key_jwt' },
  { issuer, audience, seen }: ClientCheck,
): Promise<boolean> {
  try {
    const { payload } = await jwtVerify(assertion, createLocalJWKSet(client.jwks), {
      issuer: client.id,
      subject: client.id,
      audience: audience(),
      algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'],
      requiredClaims: ['jti', 'exp', 'iat'],
      currentDate: issuer.now(),
      clockTolerance: 5,
    });
    const { exp = 0, iat = 0, jti = '' } = payload;
    if (typeof payload.aud !== 'string' || exp - iat > 300 || seen.has(jti)) return false;
    seen.add(jti);
    return true;
  } catch {
    return false;
  }
}

/** Whom the token speaks for: whom the exchanged one did, or the client itself. */
async function subjectOf(form: Form, client: KnownClient, check: ClientCheck): Promise<string> {
  const grant = one(form, 'grant_type');
  const subjectToken = one(form, 'subject_token');
  if (grant === 'client_credentials') {
    if (subjectToken !== null || client.method === 'none') throw new Refusal(400, 'unauthorized_client');
    return client.id;
  }
  if (grant !== EXCHANGE) throw new Refusal(400, 'unsupported_grant_type');
  const { subjects } = check.options;
  const type = one(form, 'subject_token_type');
  if (subjects === undefined || subjectToken === null || type === null)
    throw new Refusal(400, 'invalid_request');
  if (![`${TYPE}jwt`, `${TYPE}id_token`].includes(type)) throw new Refusal(400, 'invalid_request');
  try {
    const { payload } = await jwtVerify(subjectToken, createLocalJWKSet(subjects.jwks), {
      issuer: subjects.issuer,
      audience: check.audience(),
      currentDate: check.issuer.now(),
    });
    return payload.sub ?? '';
  } catch {
    throw new Refusal(400, 'invalid_request', 'the subject token is not acceptable'); // RFC 8693 section 2.2.2
  }
}

function lifeOf(form: Form, { life = 900, lifeParameter }: Oauth2Options): number {
  const asked = lifeParameter === undefined ? null : one(form, lifeParameter);
  return asked === null ? life : Math.min(life, Number(asked));
}

function claimsOf({ expiresAt, clientId, subject, scope, audience, jti }: Granted, iss: string) {
  return {
    iss,
    sub: subject,
    client_id: clientId,
    ...(audience.length > 0 && { aud: audience.length === 1 ? (audience[0] ?? '') : [...audience] }),
    ...(scope !== '' && { scope }),
    exp: Math.floor(expiresAt.getTime() / 1000),
    jti,
  };
}

/** RFC 9068. */
function signed(granted: Granted, iss: string, key: KeyObject, now: Date): Promise<string> {
  return new SignJWT({ ...claimsOf(granted, iss), iat: Math.floor(now.getTime() / 1000) })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'server' })
    .sign(key);
}

/** A client's key pair: the private part for its file, the public one for the server. */
export async function clientKeys(
  kind: 'rsa' | 'ec' | 'ed25519' = 'ec',
): Promise<{ readonly privateKey: KeyObject; readonly jwks: JSONWebKeySet }> {
  const { privateKey, publicKey } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : kind === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519');
  return { privateKey, jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'client-1' }] } };
}
