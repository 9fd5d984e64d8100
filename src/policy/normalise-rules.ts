/** Rules with lists for values and absolute paths for programs. */
import { resolve } from 'node:path';
import type { CommandPattern, Conditions, Rule } from './capability.ts';
import { normaliseApproval, normaliseLimits } from './normalise-approval.ts';
import type { RawConditions, RawRule } from './schema.ts';
import { seconds } from './schema-fields.ts';

export function normaliseRule(raw: RawRule, dir: string, at: string): Rule {
  const effect = raw.deny === undefined ? 'allow' : 'deny';
  const demand = normaliseApproval(raw.approval, dir);
  return {
    effect,
    when: normaliseConditions(raw.deny ?? raw.allow ?? {}, dir),
    approval: demand?.kind ?? 'none',
    demand,
    limits: normaliseLimits(raw.limits),
    maxTtl: raw.max_ttl === undefined ? null : seconds(raw.max_ttl),
    at,
  };
}

/** A program with a `/` is a path, relative to the map's directory; without, it is a word that stays as it is. */
export function programPath(program: string, dir: string): string {
  return program.includes('/') ? resolve(dir, program) : program;
}

function normaliseConditions(raw: RawConditions, dir: string): Conditions {
  const { repo, branch, environment, actor, command, ...plain } = raw;
  return {
    ...plain,
    ...(repo === undefined ? {} : { repo: listed(repo) }),
    ...(branch === undefined ? {} : { branch: listed(branch) }),
    ...(environment === undefined ? {} : { environment: listed(environment) }),
    ...(actor === undefined ? {} : { actor: listed(actor) }),
    ...(command === undefined ? {} : { command: normaliseCommand(command, dir) }),
  };
}

function normaliseCommand(raw: NonNullable<RawConditions['command']>, dir: string): CommandPattern {
  if (typeof raw === 'string') return { kind: 'program', program: programPath(raw, dir) };
  if ('path' in raw) return { kind: 'pinned', path: resolve(dir, raw.path), sha256: raw.sha256 };
  const [program = '', ...rest] = raw;
  return { kind: 'prefix', argv: [programPath(program, dir), ...rest] };
}

function listed(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value;
}
