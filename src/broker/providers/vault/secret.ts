/** The secret itself: read with the lease's token, so that it ends with it. */

import { isJsonObject } from '../../../base/json-object.ts';
import type { VaultConfig } from '../../../policy/providers/vault.ts';
import { numberAt, textAt, valueAt } from '../../json-body.ts';
import type { JsonAnswer } from '../../json-exchange.ts';
import type { BrokerContext, LeaseValue } from '../../provider.ts';
import { withRetry } from '../../retry.ts';
import { isFine, type Vault } from './client.ts';
import { refusal } from './refusal.ts';
import { after } from './token-facts.ts';

/**
 * What ends a secret. `lease`: its lease, and so its token. `sts`: time alone; Vault revokes the lease of an STS session
 * by forgetting it. `kubernetes`: its lease where the engine made the service account, and time where it did not, which
 * its answer does not tell. `kv`: nothing.
 */
export const SECRET_KINDS = ['lease', 'sts', 'kubernetes', 'kv'] as const;
export type SecretKind = (typeof SECRET_KINDS)[number];

export interface Secret {
  readonly kind: SecretKind;
  /** Empty for `kv`. */
  readonly leaseId: string;
  /** End of the lease, by this machine's clock; NaN where the answer does not say. */
  readonly expiresAt: Date;
  readonly values: Readonly<Record<string, LeaseValue>>;
  /** Whom it speaks as, where its fields say so. */
  readonly principal: string | null;
}

export interface SecretRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The request for the secret, without one. `seconds` is what the grant has left. */
export function secretRequest(config: VaultConfig, seconds: number): SecretRequest {
  const ttl = config.ttlParameter === null ? {} : { [config.ttlParameter]: `${seconds}s` };
  return {
    method: config.request === 'read' ? 'GET' : 'POST',
    path: config.path,
    parameters: { ...config.parameters, ...ttl },
  };
}

export async function readSecret(
  { method, path, parameters }: SecretRequest,
  token: string,
  vault: Vault,
  context: BrokerContext,
): Promise<Secret> {
  const call = { method, path, token, ...(method === 'GET' ? { query: parameters } : { json: parameters }) };
  const answer = await withRetry(() => vault.ask(call, context), context);
  const fields = fieldsOf(answer.body);
  for (const [name, { value, secret }] of Object.entries(fields)) {
    if (secret && value.trim() !== '') context.registerSecret(name, value.trim());
    if (secret && value !== value.trim()) context.registerSecret(name, value);
  }
  if (!isFine(answer)) {
    const right = method === 'GET' ? 'read' : 'update';
    throw refusal(
      answer,
      answer.status === 403
        ? `one of the policies that the map names must allow ${right} on path`
        : 'look at path, request and parameters, and at the log of the server',
    );
  }
  return secretOf(answer, fields);
}

function secretOf(answer: JsonAnswer, values: Readonly<Record<string, LeaseValue>>): Secret {
  const leaseId = textAt(answer.body, 'lease_id') ?? '';
  const text = (name: string) => values[name]?.value ?? null;
  const kind = kindOf(leaseId, values);
  return {
    kind,
    leaseId,
    expiresAt: after(answer.receivedAt, numberAt(answer.body, 'lease_duration')),
    values,
    principal:
      kind === 'kubernetes'
        ? `${text('service_account_namespace')}/${text('service_account_name')}`
        : (text('arn') ?? text('username') ?? text('access_key')),
  };
}

function kindOf(leaseId: string, values: Readonly<Record<string, LeaseValue>>): SecretKind {
  if (leaseId === '') return 'kv';
  if (values['security_token'] || values['session_token']) return 'sts';
  return values['service_account_token'] ? 'kubernetes' : 'lease';
}

/** Fields that no engine keeps secret, so that masking does not blacken a word like `default`. */
const PUBLIC = [
  'access_key',
  'arn',
  'ca_chain',
  'certificate',
  'expiration',
  'expire_time',
  'issuing_ca',
  'serial_number',
  'service_account_name',
  'service_account_namespace',
  'ttl',
  'username',
];

/** Fields that are PEM documents. */
const LINES = ['ca_chain', 'certificate', 'issuing_ca', 'private_key', 'signed_key'];

/** The texts and numbers of `data`; of version 2 of KV those of `data.data`. Null and nested values are left out. */
function fieldsOf(body: unknown): Record<string, LeaseValue> {
  const data = valueAt(body, 'data');
  const inner = valueAt(data, 'data');
  const isSecondVersion = isJsonObject(inner) && isJsonObject(valueAt(data, 'metadata'));
  const fields = isSecondVersion ? inner : isJsonObject(data) ? data : {};
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
      .map(([name, value]) => [
        name,
        {
          value: String(value),
          secret: !PUBLIC.includes(name),
          ...(LINES.includes(name) ? { lines: true as const } : {}),
        },
      ]),
  );
}
