/**
 * What an approval is for, to the byte. A run may use an approval only where all of this is the same again; one
 * difference, and the approval is worthless.
 */
import { createHash } from 'node:crypto';
import { osUser } from '../base/os-user.ts';
import type { Grant } from '../policy/decision.ts';
import { type ProviderConfig, policyOf } from '../policy/providers/index.ts';
import type { FactName, Facts } from '../request/facts.ts';
import type { RunRequest } from '../request/run-request.ts';
import { type BoundFile, boundFiles } from './bound-files.ts';

export interface Binding {
  readonly capability: string;
  /** The words of the command; secrets of the caller are masked in them. */
  readonly command: readonly string[];
  /** SHA-256 over the request's nonce and the exact words, so that a masked one is bound, too. */
  readonly command_digest: string;
  readonly cwd: string;
  /** The program, its interpreters, and the files that the words name, with their content. */
  readonly files: readonly BoundFile[];
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
  /** Of the request: makes the digest of the command say nothing without it. */
  readonly nonce: string;
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
export function bindingOf({ grant, request, map, uid, childPath, nonce, mask }: BindingInput): Binding {
  const { facts, command } = request;
  const argv = command?.argv ?? [];
  const value = (name: FactName) => (facts[name].value === null ? null : mask(facts[name].value));
  return {
    capability: grant.capability,
    command: argv.map(mask),
    command_digest: digestOf(nonce, argv),
    cwd: command?.cwd ?? '',
    files: command === null ? [] : boundFiles(command, childPath),
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

/** Names of what differs between two bindings, in their order. */
export function differences(before: Binding, after: Binding): (keyof Binding)[] {
  return (Object.keys(after) as (keyof Binding)[]).filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
}

/** What the credential can do where; unlike the words of the record, with every resource. */
function reachOf(config: ProviderConfig): Pick<Binding, 'target' | 'scope'> {
  const policy = policyOf(config);
  return { target: policy.target(config), scope: policy.reach(config) };
}

function digestOf(nonce: string, argv: readonly string[]): string {
  return createHash('sha256')
    .update(`capwrap command v1\n${nonce}\n${JSON.stringify(argv)}`)
    .digest('hex');
}

function sourcesOf(facts: Facts): Record<string, string> {
  return Object.fromEntries(BOUND_FACTS.map((name) => [name, facts[name].source]));
}
