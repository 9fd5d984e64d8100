/** What `capwrap doctor` says of the map's sources: whether each holds a proof, and who else could use it. */

import type { BrokerContext } from '../broker/provider.ts';
import { readSource } from '../broker/sources/read-source.ts';
import type { Capability } from '../policy/capability.ts';
import { policyOf } from '../policy/providers/index.ts';
import { type Source, sourceLabel } from '../policy/sources/index.ts';
import type { CommandContext } from '../ui/context.ts';
import { type Check, check, look } from './doctor-check.ts';

/** One finding for each source that a capability names; sources that several share are read once. */
export async function lookAtSources(
  context: CommandContext,
  capabilities: readonly Capability[],
): Promise<Check[]> {
  const sources = new Map<string, Source>();
  for (const { config } of capabilities) {
    for (const { source } of policyOf(config).proofs(config)) sources.set(JSON.stringify(source), source);
  }
  return Promise.all(
    [...sources.values()].map((source) => {
      const name = `source ${sourceLabel(source)}`;
      return look(name, () => sourceCheck(name, source, context));
    }),
  );
}

const SEPARATE =
  'let root or another user hold it, or use a source that only a CI job has, such as github-actions';

async function sourceCheck(name: string, source: Source, context: CommandContext): Promise<Check> {
  if (source.type === 'github-actions') return gitHubCheck(name, context);
  if (source.type === 'sso') {
    await (await import('../broker/sources/sso-login.ts')).readSsoLogin(source, readingContext(context));
    return check(
      name,
      'warning',
      'a sign-in in a file: any process of this user can use it directly',
      SEPARATE,
    );
  }
  // Not asked: that would hand out keys, and offline is offline.
  if (source.type === 'instance' || source.type === 'container') {
    const detail =
      'a service beside this machine has the keys of a role: everything that runs here can ask for them';
    return check(name, 'warning', detail, SEPARATE);
  }
  const proof = await readSource(source, readingContext(context));
  const what =
    proof.kind === 'token'
      ? 'a token'
      : proof.longLived
        ? 'a long-lived access key'
        : 'a temporary access key';
  const detail =
    source.type === 'env' || source.type === 'token-env'
      ? `${what} in the caller's variables: everything that the caller starts can use it directly`
      : `${what} in a file: any process of this user can use it directly`;
  return check(name, 'warning', detail, SEPARATE);
}

/** The token itself isn't asked for: that would be a request to a host that the map doesn't name. */
function gitHubCheck(name: string, { ambient }: CommandContext): Check {
  const { env } = ambient;
  if (env['ACTIONS_ID_TOKEN_REQUEST_URL'] && env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']) {
    return check(name, 'ok', 'the job may request a token; every step of the job may');
  }
  return env['GITHUB_ACTIONS']
    ? check(
        name,
        'problem',
        'this job may not request a token',
        'add to the job: permissions: {id-token: write, contents: read}',
      )
    : check(name, 'skipped', 'there is nothing to look at outside a GitHub Actions job');
}

/** The proof is looked at here and dropped; nothing is issued and nothing of it is shown. */
function readingContext({ ambient }: CommandContext): BrokerContext {
  return {
    env: ambient.env,
    stateDir: '',
    signal: AbortSignal.timeout(3000),
    now: () => new Date(),
    registerSecret: () => undefined,
  };
}
