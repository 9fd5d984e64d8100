/** Whether a token works: by introspection, and at a resource that the map names. */
import { CapwrapError } from '../../../errors.ts';
import { callJson, type JsonAnswer } from '../../json-exchange.ts';
import type { BrokerContext, ProbeAnswer } from '../../provider.ts';
import type { Held } from './held.ts';
import { introspect } from './introspect.ts';
import { toldBy } from './told.ts';

/**
 * Looks in every way there is. A resource server that checks a JWT by itself takes the token until its end, whatever
 * the authorization server says (RFC 7009 section 3): so it is dead only where all say so, and alive where one does.
 */
export async function lookAt(held: Held, context: BrokerContext): Promise<ProbeAnswer | null> {
  const looks = (await Promise.all([introspected(held, context), tried(held, context)])).filter(
    (look) => look !== null,
  );
  const saw = looks.map((look) => look.saw).join('; ');
  const is = (state: ProbeAnswer['state']) => looks.some((look) => look.state === state);
  if (looks.length === 0) return null;
  if (is('unknown')) return { state: 'unknown', saw };
  if (is('alive')) return { state: 'alive', saw };
  return { state: is('expired') ? 'expired' : 'dead', saw };
}

async function introspected(held: Held, context: BrokerContext): Promise<ProbeAnswer | null> {
  return orUnknown('introspection', async () => {
    const seen = await introspect(held.session, held.token, context);
    if (seen === null) return null;
    if (seen.active === null)
      return { state: 'unknown', saw: `introspection answered ${seen.answer.status}` };
    const saw = `introspection: active ${seen.active}`;
    if (!seen.active) return { state: isOver(held, seen.answer) ? 'expired' : 'dead', saw };
    held.exp ??= toldBy(seen.body).exp;
    return { state: 'alive', saw };
  });
}

/** RFC 6750 section 3.1: 401 for a token that is no longer good; 403 is for one that is, and may not. */
async function tried(held: Held, context: BrokerContext): Promise<ProbeAnswer | null> {
  const { probe } = held.session.config;
  if (probe === null) return null;
  return orUnknown('probe', async () => {
    const answer = await callJson({
      url: new URL(probe),
      method: 'GET',
      headers: { authorization: `Bearer ${held.token}` },
      ca: held.session.ca,
      context,
      endpointKey: 'probe: url',
      answer: 'ignored',
    });
    const { status } = answer;
    const word = /\berror="?invalid_token\b/.test(answer.headers['www-authenticate'] ?? '')
      ? ' (invalid_token)'
      : '';
    const saw = `GET at "${answer.who}" answered ${status}${word}`;
    if (status >= 200 && status < 300) return { state: 'alive', saw };
    if (status !== 401) return { state: 'unknown', saw };
    return { state: isOver(held, answer) ? 'expired' : 'dead', saw };
  });
}

/** By the server's clock where both are known. */
function isOver({ exp, expiresAt }: Held, answer: JsonAnswer): boolean {
  if (exp !== null && answer.date !== null) return answer.date.getTime() >= exp * 1000;
  return answer.receivedAt >= expiresAt;
}

async function orUnknown(what: string, look: () => Promise<ProbeAnswer | null>): Promise<ProbeAnswer | null> {
  try {
    return await look();
  } catch (error) {
    const words = error instanceof CapwrapError ? error.message : 'unexpected failure';
    return { state: 'unknown', saw: `${what}: ${words}` };
  }
}
