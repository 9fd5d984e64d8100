/** All that is known about a request before the policy sees it. */
import { randomBytes } from 'node:crypto';
import { isAbsolute } from 'node:path';
import type { Ambient } from '../base/ambient.ts';
import { homeDir } from '../base/state.ts';
import { actorFact } from './actor.ts';
import { type CiClaims, readCi } from './ci.ts';
import { readClaim } from './claims.ts';
import { type Fact, type Facts, known, unknown } from './facts.ts';
import { type GitFacts, type GitOptions, readGit } from './git/read-git.ts';

/** What flags say; an absent one leaves room for its `CAPWRAP_*` variable. */
export interface RequestClaims {
  readonly environment?: string | undefined;
  readonly actor?: string | undefined;
  readonly taskId?: string | undefined;
  /** True where a rule looks at `commit_clean`; every tracked file is hashed for it. */
  readonly wantCommitClean: boolean;
}

export interface GatheredFacts {
  readonly facts: Facts;
  readonly taskId: string;
  /** Root of the checked-out files; null outside of one. */
  readonly workTree: string | null;
}

/**
 * Gathers the facts of a request; starts no process. What git's files show wins over what CI variables claim, and
 * those fill in only where git can't tell. Throws ERR_USAGE for a claim that is empty, too long or not printable.
 */
export async function gatherFacts(ambient: Ambient, claims: RequestClaims): Promise<GatheredFacts> {
  const { env } = ambient;
  const environment = readClaim('--environment', claims.environment, 'CAPWRAP_ENVIRONMENT', env);
  const task = readClaim('--task-id', claims.taskId, 'CAPWRAP_TASK_ID', env);
  const ci = await readCi(env);
  const actor = await actorFact(ambient, claims.actor, ci);
  const options = gitOptions(ambient);
  const git = readGit(ambient.cwd, options);
  return {
    facts: {
      ...withCi(git, ci),
      commit_clean: claims.wantCommitClean ? await commitClean(git, options) : unknown('no rule asks for it'),
      environment: environment
        ? known(environment.value, 'claimed', environment.from)
        : unknown('neither --environment nor CAPWRAP_ENVIRONMENT is given'),
      actor,
      ci: ci ? known('true', 'claimed', ci.variable) : known('false', 'claimed', 'no CI variable is set'),
    },
    taskId: task?.value ?? ci?.runId ?? `task-${randomBytes(4).toString('hex')}`,
    workTree: git.workTree,
  };
}

/** Where the running user's own git configuration is. */
export function gitOptions(ambient: Ambient): GitOptions {
  const xdg = ambient.env['XDG_CONFIG_HOME'];
  return { uid: ambient.uid, home: homeDir(ambient), xdgConfigHome: xdg && isAbsolute(xdg) ? xdg : null };
}

/** Whether the work tree has no uncommitted change, as it is now. */
export function commitCleanFact(ambient: Ambient): Promise<Fact> {
  const options = gitOptions(ambient);
  return commitClean(readGit(ambient.cwd, options), options);
}

/** The comparison loads a library, so it stays out of every run whose rules don't ask. */
async function commitClean(git: GitFacts, options: GitOptions): Promise<Fact> {
  const { readCommitClean } = await import('./git/commit-clean.ts');
  return readCommitClean(git, options);
}

function withCi(git: GitFacts, ci: CiClaims | null): Pick<Facts, 'repo' | 'branch' | 'commit'> {
  if (!ci) return { repo: git.repo, branch: git.branch, commit: git.commit };
  // A build that has another commit checked out (a pull request's, a dependency's) is not what the CI speaks of.
  const other = git.commit.value !== null && ci.commit.value !== null && git.commit.value !== ci.commit.value;
  const doubt = other ? `${ci.name} speaks of another commit` : null;
  return {
    repo: merge(git.repo, ci.repo, ci.name, doubt),
    branch: merge(git.branch, ci.branch, ci.name, doubt),
    commit: merge(git.commit, ci.commit, ci.name, null),
  };
}

/** git's fact where there is one; a CI claim that disagrees is noted. `doubt` says why the claim can't fill a gap. */
function merge(git: Fact, claim: Fact, ciName: string, doubt: string | null): Fact {
  if (git.value !== null) {
    const disagrees = claim.value !== null && claim.value !== git.value;
    return disagrees ? known(git.value, git.source, `${git.from} (${ciName} says "${claim.value}")`) : git;
  }
  if (doubt !== null) return unknown(`${git.from}; ${doubt}`);
  return claim.value === null ? unknown(`${git.from}; ${claim.from}`) : claim;
}
