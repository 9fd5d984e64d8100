/** The secret engines of the test server, by the path of a secret. */
import { randomBytes } from 'node:crypto';
import { type Call, Refusal } from '../call.ts';
import type { TestIssuer } from '../kit.ts';

export interface EngineAnswer {
  readonly data: Readonly<Record<string, unknown>>;
  /** Seconds of the lease; null for an engine without leases. */
  readonly lease: number | null;
  /** True where revoking the lease changes nothing at the target. */
  readonly outlives: boolean;
  /** What a reading without a lease says of its duration all the same. */
  readonly claimedDuration?: number;
}

/** `seconds` of the grant's lease may be changed by a misbehaviour of the server. */
export function readEngine(path: string, call: Call, issuer: TestIssuer): EngineAnswer {
  const [mount = '', kind = '', role = ''] = path.split('/');
  switch (`${mount}/${kind}`) {
    case 'database/creds':
      noParameters(call);
      if (role !== 'readonly') throw new Refusal(400, `unknown role: ${role}`);
      return {
        data: {
          username: `v-approle-readonly-${randomBytes(6).toString('hex')}`,
          password: secretOf('A1a-', call, issuer),
        },
        lease: 3600,
        outlives: false,
      };
    case 'aws/creds':
    case 'aws/sts':
      return aws(kind, role, call, issuer);
    case 'kubernetes/creds':
      return kubernetes(role, call, issuer);
    case 'secret/data':
      noParameters(call);
      return {
        data: { data: { api_key: secretOf('kv-', call, issuer), user: 'x' }, metadata: { version: 3 } },
        lease: null,
        outlives: true,
      };
    case 'secret/plain':
      noParameters(call);
      return {
        data: { api_key: secretOf('kv-', call, issuer) },
        lease: null,
        outlives: true,
        claimedDuration: 2764800,
      };
    default:
      throw new Refusal(404, `no handler for route "${path}". route entry not found.`);
  }
}

function aws(kind: string, role: string, call: Call, issuer: TestIssuer): EngineAnswer {
  const { ttl, role_session_name: name = '' } = parametersOf(call, ['ttl', 'role_session_name', 'role_arn']);
  if (name.length > 64) throw new Refusal(400, 'role_session_name is too long');
  const keys = {
    access_key: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
    secret_key: issuer.secret('sk'),
  };
  if (role === 'user' && kind === 'creds') {
    return {
      data: { ...keys, access_key: keys.access_key.replace('ASIA', 'AKIA'), security_token: null },
      lease: 3600,
      outlives: false,
    };
  }
  if (role !== 'deployer') throw new Refusal(400, 'Role "x" not found');
  const seconds = secondsOf(ttl) ?? 3600;
  if (seconds < 900) throw new Refusal(400, 'ttl must be at least 15m');
  const arn = 'arn:aws:sts::123456789012:assumed-role/deployer/vault-approle-deployer';
  return {
    data: { ...keys, security_token: issuer.secret('st'), arn, ttl: seconds },
    lease: seconds,
    outlives: true,
  };
}

function kubernetes(role: string, call: Call, issuer: TestIssuer): EngineAnswer {
  if (call.method !== 'POST') throw new Refusal(405, 'unsupported operation');
  const { kubernetes_namespace: namespace, ttl } = parametersOf(call, ['kubernetes_namespace', 'ttl']);
  if (namespace === undefined) throw new Refusal(400, "'kubernetes_namespace' is required");
  return {
    data: {
      service_account_name: role,
      service_account_namespace: namespace,
      service_account_token: issuer.secret('eyJ'),
    },
    lease: secondsOf(ttl) ?? 3600,
    outlives: role === 'existing',
  };
}

function secretOf(prefix: string, call: Call, issuer: TestIssuer): string {
  const secret = issuer.secret(prefix);
  return call.misbehaves('value_with_newline') ? `${secret}\n` : secret;
}

function noParameters(call: Call): void {
  parametersOf(call, []);
}

function parametersOf(call: Call, allowed: readonly string[]): Readonly<Record<string, string>> {
  if (call.method === 'GET') return call.query(allowed);
  call.query();
  return call.json(allowed) as Readonly<Record<string, string>>;
}

function secondsOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const [, digits, unit] = /^(\d+)(s|m|h|)$/.exec(text) ?? [];
  if (digits === undefined) throw new Refusal(400, 'Field validation failed: invalid duration');
  return Number(digits) * { s: 1, m: 60, h: 3600, '': 1 }[unit as 's' | 'm' | 'h' | ''];
}
