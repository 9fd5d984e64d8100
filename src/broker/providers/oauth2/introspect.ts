/** What the server says of a token (RFC 7662). */
import type { JsonObject } from '../../../base/json-object.ts';
import type { JsonAnswer } from '../../json-exchange.ts';
import type { BrokerContext } from '../../provider.ts';
import { post, type Session } from './session.ts';

export interface Introspection {
  /** Null where the answer is none: refused, or not of the form. */
  readonly active: boolean | null;
  /** The whole answer; only `active: true` says more. */
  readonly body: JsonObject;
  readonly answer: JsonAnswer;
}

/** Asks once, but for a server that is throttling. Null where no introspection endpoint is known. Throws as `callJson`. */
export async function introspect(
  session: Session,
  token: string,
  context: BrokerContext,
): Promise<Introspection | null> {
  const { config, server } = session;
  if (server.introspection === null) return null;
  const answer = await post(
    session,
    {
      url: server.introspection,
      endpointKey: config.introspectionEndpoint === null ? null : 'introspection_endpoint',
      form: [
        ['token', token],
        ['token_type_hint', 'access_token'],
      ],
    },
    context,
    { attempts: 2, waitMs: 2_000 },
  );
  const body = answer.body ?? {};
  const { active } = body;
  return { active: answer.status === 200 && typeof active === 'boolean' ? active : null, body, answer };
}
