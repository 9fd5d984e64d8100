/**
 * What an approval is for, to the byte. A run may use an approval only where all of this is the same again; one
 * difference, and the approval is worthless.
 */
import { osUser } from '../base/os-user.ts';
import type { Grant } from '../policy/decision.ts';
import { type ProviderConfig, policyOf } from '../policy/providers/index.ts';
import type { FactName, Facts } from '../request/facts.ts';
import type { RunRequest } from '../request/run-request.ts';
import { boundInput, boundVariables, type EnvInput } from './bound-env.ts';
import { type BoundFile, boundFiles, namedFolders } from './bound-files.ts';

export interface Binding {
  readonly capability: string;
  /** The words of the command. */
  readonly command: readonly string[];
  readonly cwd: string;
  /** The program, its interpreters, and the files that the words name, with their content. */
  readonly files: readonly BoundFile[];
  /** Folders that the words name; what is in them is not bound. */
  readonly folders: readonly string[];
  /** The variables that the map hands through, with their values or a keyed digest. */
  readonly env: Readonly<Record<string, string>>;
  /** What standard input is. */
  readonly stdin: string;
  readonly repo: string | null;
  readonly branch: string | null;
  readonly commit: string | null;
  readonly commit_clean: string | null;
  readonly environment: string | null;
  readonly actor: string | null;
  /** How each of the facts is known. */
  readonly sources: Readonly<Record<string, string>>;
  readonly user: string;
  readonly task_id: string;
  readonly justification: string | null;
  readonly provider: string;
  /** What the credential is for: the role, or the audience of the token. */
  readonly target: string;
  readonly scope: readonly string[];
  readonly ttl_seconds: number;
  readonly rule: string;
  readonly map_path: string;
  readonly map_sha256: string;
}

export interface BindingInput {
  readonly grant: Grant;
  readonly request: RunRequest;
  readonly map: { readonly path: string; readonly sha256: string };
  readonly uid: number;
  /** The child's `PATH`; undefined where it has none. */
  readonly childPath: string | undefined;
  readonly env: EnvInput['env'];
  readonly pass: EnvInput['pass'];
  readonly digestKey: Uint8Array;
  readonly mask: (text: string) => string;
}

const BOUND_FACTS = [
  'repo',
  'branch',
  'commit',
  'commit_clean',
  'environment',
  'actor',
] as const satisfies readonly FactName[];

/** The request as it is now. Reads and hashes the files that the command consists of. */
export function bindingOf(input: BindingInput): Binding {
  const { grant, request, map, uid, childPath, mask } = input;
  const { facts, command } = request;
  const argv = command?.argv ?? [];
  const value = (name: FactName) => (facts[name].value === null ? null : mask(facts[name].value));
  return {
    capability: grant.capability,
    command: argv,
    cwd: command?.cwd ?? '',
    files: command === null ? [] : boundFiles(command, childPath),
    folders: command === null ? [] : namedFolders(command),
    env: boundVariables(input),
    stdin: boundInput(),
    repo: value('repo'),
    branch: value('branch'),
    commit: value('commit'),
    commit_clean: value('commit_clean'),
    environment: value('environment'),
    actor: value('actor'),
    sources: sourcesOf(facts),
    user: osUser(uid),
    task_id: mask(request.taskId),
    justification: request.justification === null ? null : mask(request.justification),
    provider: grant.config.provider,
    ...reachOf(grant.config),
    ttl_seconds: grant.ttl,
    rule: grant.rule,
    map_path: map.path,
    map_sha256: map.sha256,
  };
}

/** True where what an approver has to see holds a secret of the caller's, which must not be stored or shown. */
export function holdsSecret(
  { command, cwd, files, folders, env }: Binding,
  mask: (text: string) => string,
): boolean {
  const seen = [...command, cwd, ...files.map(({ path }) => path), ...folders, ...Object.values(env)];
  return seen.some((text) => mask(text) !== text);
}

/** Names of what differs between two bindings, in their order. */
export function differences(before: Binding, after: Binding): (keyof Binding)[] {
  return (Object.keys(after) as (keyof Binding)[]).filter((name) => differ(before[name], after[name]));
}

/** The same in words for people; of the variables, which ones. */
export function differencesInWords(before: Binding, after: Binding): string[] {
  return differences(before, after).flatMap((name) => {
    if (name !== 'env') return [WORDS[name] ?? name];
    const names = new Set([...Object.keys(before.env), ...Object.keys(after.env)]);
    return [...names].filter((variable) => differ(before.env[variable], after.env[variable])).sort();
  });
}

/** What people call the parts of a binding, where it isn't their name. */
export const WORDS: Partial<Record<keyof Binding, string>> = {
  commit_clean: 'clean',
  task_id: 'task',
  sources: 'known how',
  stdin: 'standard input',
  ttl_seconds: 'ttl',
  map_path: 'map',
  map_sha256: 'map sha256',
};

function differ(before: unknown, after: unknown): boolean {
  return JSON.stringify(before) !== JSON.stringify(after);
}

/** What the credential can do where; unlike the words of the record, with every resource. */
function reachOf(config: ProviderConfig): Pick<Binding, 'target' | 'scope'> {
  const policy = policyOf(config);
  return { target: policy.target(config), scope: policy.reach(config) };
}

function sourcesOf(facts: Facts): Record<string, string> {
  return Object.fromEntries(BOUND_FACTS.map((name) => [name, facts[name].source]));
}
