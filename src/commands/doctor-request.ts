/** What `capwrap doctor` says of a request made here and now: its facts, and whether a human could be asked. */
import { closeSync, constants, openSync } from 'node:fs';
import { isatty } from 'node:tty';
import { osUser } from '../base/os-user.ts';
import type { Fact } from '../request/facts.ts';
import { gatherFacts } from '../request/gather-facts.ts';
import type { CommandContext } from '../ui/context.ts';
import { type Check, check, faultCheck } from './doctor-check.ts';

/** `needsTerminal`: a rule of the map asks for an approval. */
export async function lookAtRequest(context: CommandContext, needsTerminal: boolean): Promise<Check[]> {
  return [...(await factChecks(context)), terminalCheck(needsTerminal)];
}

async function factChecks({ ambient }: CommandContext): Promise<Check[]> {
  try {
    const { facts, workTree } = await gatherFacts(ambient, { wantCommitClean: false });
    const inGit = workTree !== null;
    return [
      gitCheck('git.repo', facts.repo, inGit, 'git remote add origin URL'),
      gitCheck('git.branch', facts.branch, inGit, 'git switch BRANCH'),
      gitCheck('git.commit', facts.commit, inGit, null),
      actorCheck(facts.actor, osUser(ambient.uid)),
      check(
        'ci',
        'ok',
        facts.ci.value === 'true' ? `a CI (${facts.ci.from}): its variables are claims` : 'none',
      ),
      environmentCheck(facts.environment),
    ];
  } catch (error) {
    return [faultCheck('facts', error)];
  }
}

function gitCheck(name: string, fact: Fact, inGit: boolean, fix: string | null): Check {
  if (fact.value !== null) return check(name, 'ok', shown(fact));
  const detail = `not known, so no rule that asks for it matches: ${fact.from}`;
  return inGit ? check(name, 'warning', detail, fix) : check(name, 'skipped', detail);
}

function actorCheck(actor: Fact, user: string): Check {
  return check(
    'actor',
    'ok',
    actor.source === 'observed' ? shown(actor) : `${shown(actor)}, running as ${user}`,
  );
}

function environmentCheck(fact: Fact): Check {
  return check('environment', 'ok', fact.value === null ? 'not claimed' : shown(fact));
}

function shown({ value, source, from }: Fact): string {
  return `${value} (${source}: ${from})`;
}

function terminalCheck(isNeeded: boolean): Check {
  const streams = ['standard output', 'standard error'].filter((_, index) => isatty(index + 1));
  const on = streams.length === 0 ? 'no stream is a terminal' : `${streams.join(' and ')} on a terminal`;
  if (hasControllingTerminal()) return check('terminal', 'ok', `approvals can be asked for here; ${on}`);
  return isNeeded
    ? check(
        'terminal',
        'warning',
        `no controlling terminal, so a rule that asks for approval is denied here; ${on}`,
        'run it from a terminal',
      )
    : check('terminal', 'ok', `no controlling terminal; ${on}`);
}

function hasControllingTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
}
