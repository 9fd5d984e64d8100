/** What conditions in a policy can ask about a call. */
import { ACCOUNT } from './accounts.ts';
import type { RequestContext } from './conditions.ts';
import type { Credential, State } from './state.ts';

/** The condition keys of a call by this credential at the server's time. Keys are in lower case. */
export function contextOf(
  { principal, sessionToken, issuedAt }: Credential,
  state: State,
  more: RequestContext = {},
): RequestContext {
  const now = state.now();
  const tags = Object.entries(principal.tags).map(([key, value]) => [
    `aws:principaltag/${key.toLowerCase()}`,
    value,
  ]);
  return {
    'aws:currenttime': now.toISOString(),
    'aws:epochtime': String(Math.floor(now.getTime() / 1000)),
    'aws:principalarn': principal.owner.arn,
    'aws:principalaccount': ACCOUNT,
    'aws:userid': principal.userId,
    'aws:securetransport': 'false',
    'aws:sourceip': '127.0.0.1',
    // Only temporary credentials have an issue time.
    'aws:tokenissuetime': sessionToken === null ? undefined : issuedAt.toISOString(),
    'aws:sourceidentity': principal.sourceIdentity ?? undefined,
    ...Object.fromEntries(tags),
    ...more,
  };
}
