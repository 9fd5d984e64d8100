/** Calls of one Vault server, in one namespace. */
import type { VaultConfig } from '../../../policy/providers/vault.ts';
import { readCaFile } from '../../ca-file.ts';
import type { HttpMethod } from '../../http-exchange.ts';
import type { JsonPath } from '../../json-body.ts';
import { callJson, type JsonAnswer } from '../../json-exchange.ts';
import type { BrokerContext } from '../../provider.ts';

export interface VaultCall {
  readonly method: Extract<HttpMethod, 'GET' | 'POST'>;
  /** Below `/v1/`. */
  readonly path: string;
  /** Missing for the calls that take none. */
  readonly token?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly secrets?: Readonly<Record<string, JsonPath>>;
  readonly timeoutMs?: number;
}

export interface Vault {
  /** Sends one request, once; resolves and throws as `callJson`. */
  ask(call: VaultCall, context: BrokerContext): Promise<JsonAnswer>;
}

/** Throws where the map's `ca_file` can't serve. */
export function vaultAt(config: VaultConfig): Vault {
  const ca = readCaFile(config.caFile);
  return {
    ask({ method, path, token, query, json, secrets, timeoutMs }, context) {
      const url = new URL(`${config.address}/v1/${path}`);
      for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
      return callJson({
        url,
        method,
        headers: {
          'x-vault-request': 'true', // agents and proxies of Vault can insist on it
          ...(config.namespace !== null && { 'x-vault-namespace': `${config.namespace}/` }),
          ...(token !== undefined && { 'x-vault-token': token }),
        },
        ...(json !== undefined && { json }),
        ...(secrets && { secrets }),
        ...(timeoutMs !== undefined && { timeoutMs }),
        ca,
        context,
        endpointKey: 'address',
      });
    },
  };
}

/** Vault answers 200 with a body, 204 without, and 202 for what it will do later. */
export function isFine({ status }: Pick<JsonAnswer, 'status'>): boolean {
  return status === 200 || status === 204;
}
