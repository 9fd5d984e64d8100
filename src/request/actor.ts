/** Who asks: the flag, the agent or CI that the variables speak of, else the user of the operating system. */
import type { Ambient } from '../base/ambient.ts';
import { osUser } from '../base/os-user.ts';
import type { CiClaims } from './ci.ts';
import { readClaim } from './claims.ts';
import { type Fact, known } from './facts.ts';

/**
 * The actor, never unknown: `--actor` or `CAPWRAP_ACTOR`, else a detected agent (`claude-code`, `codex`, …), else who
 * set the CI run off — all of them claims — else the OS user, which is observed. Throws ERR_USAGE for a bad flag.
 */
export async function actorFact(
  ambient: Ambient,
  flag: string | undefined,
  ci: CiClaims | null,
): Promise<Fact> {
  const claim = readClaim('--actor', flag, 'CAPWRAP_ACTOR', ambient.env);
  if (claim) return known(claim.value, 'claimed', claim.from);
  const agent = await detectAgent(ambient.env);
  if (agent) return known(agent.id, 'claimed', `variables of ${agent.name}`);
  if (ci?.actor) return known(ci.actor.value, 'claimed', ci.actor.variable);
  return known(osUser(ambient.uid), 'observed', 'operating system');
}

export interface Agent {
  readonly id: string;
  readonly name: string;
}

/**
 * The coding agent whose variables are set, or null. An editor's or terminal's own variables don't count: they say
 * nothing about who types. The list of ancestors is given as empty, so that the library never starts `ps`.
 */
export async function detectAgent(env: Readonly<Record<string, string>>): Promise<Agent | null> {
  const { detectAgenticEnvironment } = await import('am-i-vibing');
  const found = detectAgenticEnvironment({ env: { ...env }, processAncestry: [] });
  if (found.type !== 'agent' || found.id === null) return null;
  return { id: found.id, name: found.name ?? found.id };
}
