/** Requests to the server's endpoints, each with a fresh proof of the client. */
import type { Oauth2Config } from '../../../policy/providers/oauth2.ts';
import type { JsonPath } from '../../json-body.ts';
import { callJson, type JsonAnswer } from '../../json-exchange.ts';
import type { BrokerContext } from '../../provider.ts';
import type { RetryLimits } from '../../retry.ts';
import { withRetry } from '../../retry.ts';
import type { Client } from './client.ts';
import type { Server } from './server.ts';

/** Client and server of one lease. */
export interface Session {
  readonly config: Oauth2Config;
  readonly client: Client;
  readonly server: Server;
  /** PEM certificates that replace the built-in roots; null for those. */
  readonly ca: string | null;
}

export interface Post {
  readonly url: URL;
  /** The map's word for the endpoint where the map names it. */
  readonly endpointKey: string | null;
  /** Without what shows who the client is. */
  readonly form: readonly (readonly [string, string])[];
  readonly secrets?: Readonly<Record<string, JsonPath>>;
  /** Of `callJson`; `json` where it isn't given. */
  readonly answer?: 'json' | 'if_json';
}

/** Posts a form as the client; asks again only where the first request had no effect. Throws as `callJson` does. */
export function post(
  { client, server, ca }: Session,
  { url, endpointKey, form, secrets = {}, answer = 'json' }: Post,
  context: BrokerContext,
  limits?: RetryLimits,
): Promise<JsonAnswer> {
  return withRetry(
    async () => {
      // Afresh each time: a server takes an assertion once (RFC 7523 section 3).
      const proof = await client.prove(server.audience, context);
      return callJson({
        url,
        method: 'POST',
        headers: proof.headers,
        form: [...form, ...Object.entries(proof.form)],
        ca,
        identity: client.identity,
        context,
        endpointKey,
        secrets,
        answer,
      });
    },
    context,
    limits,
  );
}
