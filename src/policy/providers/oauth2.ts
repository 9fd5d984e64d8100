/** Provider `oauth2`: a token of an OAuth 2.0 server, exchanged for another one or granted to a client. */
import { seconds } from '../schema-fields.ts';
import { absolute } from '../sources/fields.ts';
import { normaliseSource, type Source } from '../sources/index.ts';
import { type ProviderPolicy, type RawOf, TOKEN_VARIABLE } from './descriptor.ts';
import { checkOauth2 } from './oauth2/check.ts';
import { compareOauth2 } from './oauth2/compare.ts';
import { OAUTH2_SOURCES, oauth2Fields, type TOKEN_TYPES } from './oauth2/fields.ts';
import { summaryRows } from './oauth2/summary.ts';

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
  compare: compareOauth2,
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
