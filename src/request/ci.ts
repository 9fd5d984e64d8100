/** What a CI system says about the build. Any process can set these variables, so all of it is a claim. */
import type { EnvCiAnswer } from 'env-ci';
import {
  ACTOR_VARIABLES,
  CI_VARIABLES,
  FILE_VARIABLES,
  FORK_FLAGS,
  NO_REPO,
  ORIGIN_VARIABLES,
  TELLS_FORKS,
} from './ci-systems.ts';
import { isPlainValue } from './claims.ts';
import { type Fact, known, unknown } from './facts.ts';
import { parseRemoteUrl } from './git/remote-url.ts';

export interface CiClaims {
  /** The system's name for people: `GitHub Actions`, or `CI` where only that variable is set. */
  readonly name: string;
  /** The variable that gave the system away. */
  readonly variable: string;
  readonly repo: Fact;
  readonly branch: Fact;
  readonly commit: Fact;
  /** The run's id as the system calls it; null where it has none. */
  readonly runId: string | null;
  /** Who set the run off; null where the system does not say. */
  readonly actor: { readonly value: string; readonly variable: string } | null;
}

/** The claims of the CI system that the variables speak of, or null where none is. Never throws, reads no file. */
export async function readCi(env: Readonly<Record<string, string>>): Promise<CiClaims | null> {
  const variable = CI_VARIABLES.find((name) => isOn(env[name]));
  if (variable === undefined) return null;
  const answer = await ask(env);
  if (answer?.service === undefined) return silent(variable);
  const name = answer.name ?? answer.service;
  return {
    name,
    variable,
    repo: repoClaim(answer, env, name),
    branch: branchClaim(answer, env, name),
    commit: COMMIT.test(answer.commit ?? '')
      ? claimed(answer.commit, name)
      : unknown(`${name} names no commit`),
    runId: isPlainValue(answer.build) ? answer.build : null,
    actor: actorClaim(answer.service, env),
  };
}

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

async function ask(env: Readonly<Record<string, string>>): Promise<EnvCiAnswer | null> {
  const isSwitch = new Set(CI_VARIABLES);
  const shown = Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) => !FILE_VARIABLES.has(name) && (!isSwitch.has(name) || isOn(value)),
    ),
  );
  try {
    const { default: envCi } = await import('env-ci');
    // Its fallback asks git; the bundle has none of it, and in a directory that can't exist nothing could be started.
    return envCi({ env: shown, cwd: '/dev/null/none' });
  } catch {
    return null;
  }
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false'].includes(value.toLowerCase());
}

function silent(variable: string): CiClaims {
  const nothing = unknown(`"${variable}" is set, and nothing more is known of that CI`);
  return { name: 'CI', variable, repo: nothing, branch: nothing, commit: nothing, runId: null, actor: null };
}

function repoClaim(answer: EnvCiAnswer, env: Readonly<Record<string, string>>, name: string): Fact {
  const slug =
    answer.service === 'buildkite' ? slugOf(env['BUILDKITE_REPO']) : answer.slug?.replace(/\.git$/, '');
  const usable = !NO_REPO.has(answer.service ?? '') && /^[^/\s:@]+(?:\/[^/\s:@]+)+$/.test(slug ?? '');
  return usable ? claimed(slug, name) : unknown(`${name} names no repository`);
}

/**
 * The branch that is built. For a pull request env-ci's `branch` is where it goes, which would let a fork speak as
 * `main`; only the request's own branch counts, and only one that can't be mistaken for a branch of this repository.
 */
function branchClaim(answer: EnvCiAnswer, env: Readonly<Record<string, string>>, name: string): Fact {
  const { branch, prBranch, isPr } = answer;
  if (answer.tag || branch?.startsWith('refs/tags/')) return unknown(`${name} builds a tag, not a branch`);
  if (isPr === undefined) return unknown(`${name} does not say whether this is a pull request`);
  if (!isPr) return claimed(branch, name);
  if (prBranch !== undefined && prBranch === branch) {
    return unknown(`${name} builds a pull request from a branch named like the one it goes to`);
  }
  if (!TELLS_FORKS.has(answer.service ?? ''))
    return unknown(`${name} does not tell pull requests of forks apart`);
  return isFork(env)
    ? unknown(`${name} builds a pull request from another repository`)
    : claimed(prBranch, name);
}

function isFork(env: Readonly<Record<string, string>>): boolean {
  if (FORK_FLAGS.some((flag) => env[flag]?.toLowerCase() === 'true')) return true;
  return ORIGIN_VARIABLES.some(([source, target]) => {
    const [from, to] = [slugOf(env[source]), slugOf(env[target])];
    return from !== undefined && from !== to;
  });
}

/** A repository's name, be it given as such or as a URL. */
function slugOf(text: string | undefined): string | undefined {
  if (!text?.includes(':')) return text || undefined;
  const parsed = parseRemoteUrl(text);
  return typeof parsed === 'string' ? undefined : parsed.repo;
}

function actorClaim(service: string, env: Readonly<Record<string, string>>): CiClaims['actor'] {
  const variable = ACTOR_VARIABLES[service];
  const value = variable === undefined ? undefined : env[variable];
  return variable !== undefined && isPlainValue(value) ? { value, variable } : null;
}

/** A claimed value. env-ci glues variables together, so a missing one shows as the word `undefined`. */
function claimed(value: string | undefined, name: string): Fact {
  return isPlainValue(value) && !value.split('/').includes('undefined')
    ? known(value, 'claimed', name)
    : unknown(`${name} does not name it`);
}
