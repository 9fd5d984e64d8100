/** Provider `vault`: a dynamic secret of HashiCorp Vault or OpenBao, read with a token of the lease's own. */
import { escapeValue } from '../../base/escape.ts';
import { anotherOne, canonical, type MapChange } from '../diff/change.ts';
import { compareRecord } from '../diff/compare-record.ts';
import { compareTokens } from '../diff/compare-tokens.ts';
import { absolute } from '../sources/fields.ts';
import { pairs, type Row, words } from '../summary-text.ts';
import { compareFields, type FieldComparisons } from './compare-fields.ts';
import type { ProviderPolicy } from './descriptor.ts';
import { authText, normaliseAuth, type VaultAuth } from './vault/auth.ts';
import { checkVault } from './vault/check.ts';
import { VAULT_SOURCES, vaultFields } from './vault/fields.ts';

export interface VaultConfig {
  readonly provider: 'vault';
  /** Without a slash at its end. */
  readonly address: string;
  /** Without a slash at its end; null for the root namespace, or a server without namespaces. */
  readonly namespace: string | null;
  /** Absolute path of a PEM bundle; null for the built-in roots. */
  readonly caFile: string | null;
  readonly auth: VaultAuth;
  /** Of the lease's token, beside `default`. */
  readonly policies: readonly string[];
  readonly path: string;
  readonly request: 'read' | 'write';
  readonly parameters: Readonly<Record<string, string>>;
  /** Parameter that gets the granted seconds; null for none. */
  readonly ttlParameter: string | null;
  /** Whether a secret without a lease may be handed out. */
  readonly kv: boolean;
}

const COMPARISONS: FieldComparisons<VaultConfig> = {
  address: 'widening',
  namespace: 'widening',
  caFile: 'widening',
  auth: compareAuth,
  path: 'widening',
  request: 'widening',
  ttlParameter: 'widening',
  policies: compareTokens,
  parameters: (before, after, at) => compareRecord(before, after, at, 'parameter'),
  kv: (before, after, at) => compareAllowed(before, after, at, 'kv'),
};

export const vault: ProviderPolicy<typeof vaultFields, VaultConfig> = {
  name: 'vault',
  fields: vaultFields,
  freeMappings: ['parameters'],
  examples: {
    address: 'address: https://vault.example.com:8200',
    auth: 'auth: {method: approle, role_id: ROLE_ID, secret_id_file: /etc/capwrap/secret-id}',
    method: 'method: approle',
    token_file: 'token_file: /run/vault/token',
    role_id: 'role_id: ROLE_ID',
    secret_id_file: 'secret_id_file: /etc/capwrap/secret-id',
    wrapped_at: 'wrapped_at: auth/approle/role/deployer/secret-id',
    role: 'role: deployer',
    source: 'source: {type: github-actions, audience: https://vault.example.com}',
    policies: 'policies: [staging-readonly]',
    path: 'path: database/creds/readonly',
    parameters: 'parameters: {kubernetes_namespace: staging}',
    ttl_parameter: 'ttl_parameter: ttl',
  },
  sources: VAULT_SOURCES,
  normalise: (raw, dir) => ({
    provider: raw.provider,
    address: raw.address.replace(/\/+$/, ''),
    namespace: raw.namespace?.replace(/\/$/, '') ?? null,
    caFile: absolute(raw.ca_file, dir),
    auth: normaliseAuth(raw.auth, dir),
    policies: raw.policies,
    path: raw.path,
    request: raw.request ?? 'read',
    parameters: raw.parameters ?? {},
    ttlParameter: raw.ttl_parameter ?? null,
    kv: raw.kv === 'allow',
  }),
  check: checkVault,
  leaseValues: null,
  injectHelp: 'Child variables and the fields of the secret they get, such as PGPASSWORD: password',
  defaultInject: () => ({}),
  spellsOutInject: true,
  credentialNames: ['VAULT_TOKEN', 'BAO_TOKEN', 'BAO_TOKEN_PATH'],
  scopeWords: ({ path }) => [path],
  target: ({ address, namespace, path }) =>
    [address, ...(namespace === null ? [] : [namespace]), path].join(' '),
  reach: ({ path, request, parameters, policies, kv }) => [
    [request, path, ...Object.entries(parameters).map(([name, value]) => `${name}=${value}`)].join(' '),
    `policies ${policies.join(', ')}`,
    ...(kv ? ['a secret that nothing ends'] : []),
  ],
  summaryRows: (config) => [
    ['address', escapeValue(config.address)],
    ['namespace', config.namespace && escapeValue(config.namespace)],
    ['ca file', config.caFile && escapeValue(config.caFile)],
    ['auth', authText(config.auth)],
    ['policies', words(config.policies)],
    ['path', `${config.request} ${escapeValue(config.path)}`],
    ...pairs(config.parameters).map((text): Row => ['parameter', text]),
    ['ttl parameter', config.ttlParameter && escapeValue(config.ttlParameter)],
    ['kv', config.kv ? 'allow (a secret that nothing ends)' : null],
  ],
  proofs: ({ auth }) => ('source' in auth ? [{ at: 'auth.source', source: auth.source }] : []),
  compare: (before, after, at) => compareFields(COMPARISONS, before, after, at),
  *lint({ auth, kv, path }, capability) {
    const at = `capabilities.${capability}`;
    if (auth.method === 'token' && auth.longLived) {
      yield {
        code: 'long_lived',
        at: `${at}.auth.long_lived`,
        message: `"${capability}" accepts a Vault token without an expiry as proof`,
        fix: 'log in by approle, jwt or kubernetes, or keep a token with a TTL in the file, and delete long_lived',
      };
    }
    if (kv) {
      yield {
        code: 'kv',
        at: `${at}.kv`,
        message: `"${capability}" hands out ${path} also where it has no lease`,
        fix: 'move the secret to an engine that makes it per lease (database, aws, kubernetes), and delete kv',
      };
    }
  },
};

/** The right to show a token without an end has an order; everything else of a login is exact. */
function compareAuth(before: VaultAuth, after: VaultAuth, at: string): MapChange[] {
  const [older, newer] = [exactOf(before), exactOf(after)];
  return [
    ...(older === newer ? [] : [anotherOne('widening', at, 'auth', older, newer)]),
    ...compareAllowed(isLongLived(before), isLongLived(after), `${at}.long_lived`, 'source_long_lived'),
  ];
}

/** JSON, so that different logins have different texts. */
function exactOf(auth: VaultAuth): string {
  return canonical({ ...auth, longLived: undefined });
}

function isLongLived(auth: VaultAuth): boolean {
  return auth.method === 'token' && auth.longLived;
}

function compareAllowed(before: boolean, after: boolean, at: string, code: string): MapChange[] {
  if (before === after) return [];
  const [from, to] = [before, after].map((allowed) => (allowed ? 'allow' : 'refuse'));
  return [anotherOne(after ? 'widening' : 'narrowing', at, code, from ?? null, to ?? null)];
}
