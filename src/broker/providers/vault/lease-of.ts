/** Login, token and secret → the lease. */
import type { VaultConfig } from '../../../policy/providers/vault.ts';
import type { IssueRequest, Lease, LeaseValue } from '../../provider.ts';
import type { LeaseToken } from './lease-token.ts';
import type { Login } from './login.ts';
import type { Secret } from './secret.ts';

/** How much earlier than the grant a lease may end before it is worth a word. */
const SLACK_SECONDS = 30;

export function leaseOf(
  request: IssueRequest,
  login: Login,
  child: LeaseToken,
  secret: Secret,
  config: VaultConfig,
): Lease {
  const expiresAt = endOf(login, child, secret, config);
  const accessKey = secret.values['access_key']?.value;
  return {
    leaseId: request.leaseId,
    provider: 'vault',
    values: { ...secret.values, ...ownValues(child, secret, config) },
    defaultInject: {},
    expiresAt,
    principal: secret.principal ?? `token ${child.accessor}`,
    scope: [config.path],
    handle: {
      accessor: child.accessor,
      kind: secret.kind,
      ...(secret.leaseId !== '' && { lease_id: secret.leaseId }),
      ...(login.own && { login_accessor: login.accessor }),
      ...(Number.isFinite(expiresAt.getTime()) && { exp: String(Math.floor(expiresAt.getTime() / 1000)) }),
    },
    facts: {
      source: login.label,
      long_lived_source: login.longLived,
      ...(accessKey !== undefined && { access_key_id: accessKey }),
    },
    warnings: [...child.warnings, ...earlyEnd(expiresAt, request, login), ...standing(secret, config)],
  };
}

/** The end of what has none, so that no record says that it has expired. */
const NO_END = new Date('9999-12-31T23:59:59Z');

/**
 * A leased secret ends with its lease, with the lease's token, and with the login that made the token: whichever is
 * first. Time alone ends an STS session and the token of a service account, and nothing a secret of KV.
 */
function endOf(login: Login, child: LeaseToken, secret: Secret, { kv }: VaultConfig): Date {
  if (secret.kind === 'kv' && kv) return NO_END;
  if (secret.kind === 'sts' || secret.kind === 'kubernetes') return secret.expiresAt;
  const ends = [child.expiresAt, ...(secret.kind === 'lease' ? [secret.expiresAt] : [])];
  const parent = login.longLived ? [] : [login.expiresAt];
  return new Date(Math.min(...[...ends, ...parent].map((end) => end.getTime())));
}

/** Beside the secret's own fields. */
function ownValues(
  child: LeaseToken,
  { leaseId }: Secret,
  config: VaultConfig,
): Readonly<Record<string, LeaseValue>> {
  const open = (value: string) => ({ value, secret: false });
  return {
    vault_token: { value: child.token, secret: true },
    vault_addr: open(config.address),
    ...(config.namespace !== null && { vault_namespace: open(config.namespace) }),
    ...(leaseId !== '' && { lease_id: open(leaseId) }),
  };
}

function earlyEnd(expiresAt: Date, request: IssueRequest, login: Login): readonly string[] {
  const missing = Math.round((request.deadline.getTime() - expiresAt.getTime()) / 1000);
  if (!(missing > SLACK_SECONDS)) return [];
  const byLogin = login.expiresAt.getTime() === expiresAt.getTime();
  const why = byLogin ? 'the login token ends then' : "the role's lease ends then";
  return [`the credential ends ${missing} s before the grant: ${why}`];
}

function standing({ kind }: Secret, { path }: VaultConfig): readonly string[] {
  if (kind !== 'kv') return [];
  return [`the secret at "${path}" has no lease: it stays valid after the run, until somebody changes it`];
}
