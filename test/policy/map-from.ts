/** Maps for the tests of the policy room, made through the real parser. */
import type { Capability, CapabilityMap } from '../../src/policy/capability.ts';
import { parseMap } from '../../src/policy/parse.ts';
import { type Fact, type FactName, type FactSource, known, unknown } from '../../src/request/facts.ts';
import type { RunRequest } from '../../src/request/run-request.ts';

export const DIR = '/repo';

export function mapFrom(text: string, dir = DIR): CapabilityMap {
  return parseMap(Buffer.from(text), { path: `${dir}/capabilities.yaml`, dir, sha256: 'f'.repeat(64) });
}

/** The capability `x` with these fields; JSON is YAML. */
export function capabilityFrom(raw: object): Capability {
  const capability = mapFrom(JSON.stringify({ version: 1, capabilities: { x: raw } })).capabilities.get('x');
  if (capability === undefined) throw new Error('the map lost its capability');
  return capability;
}

/** Facts and the rest of a request, as the case files write them. */
export interface Given {
  readonly repo?: string;
  readonly branch?: string;
  readonly commit?: string;
  readonly commit_clean?: boolean;
  readonly environment?: string;
  readonly actor?: string;
  readonly ci?: boolean;
  readonly sources?: Partial<Record<FactName, FactSource>>;
  readonly command?: { argv: string[]; cwd: string; path: string | null; sha256?: string };
  readonly ttl?: number;
  readonly justification?: string;
  /** Null where it can't be told; none where it isn't given. */
  readonly usage?: RunRequest['usage'];
}

export function requestFrom(given: Given): RunRequest {
  const fact = (
    name: Exclude<keyof Given, 'sources' | 'command' | 'ttl' | 'justification' | 'usage'>,
  ): Fact => {
    const value = given[name];
    return value === undefined
      ? unknown('not given')
      : known(String(value), given.sources?.[name] ?? 'observed', 'the test');
  };
  return {
    capability: 'x',
    facts: {
      repo: fact('repo'),
      branch: fact('branch'),
      commit: fact('commit'),
      commit_clean: fact('commit_clean'),
      environment: fact('environment'),
      actor: fact('actor'),
      ci: fact('ci'),
    },
    command: given.command === undefined ? null : { sha256: null, fault: null, ...given.command },
    justification: given.justification ?? null,
    taskId: 'task',
    ttlRequested: given.ttl ?? null,
    usage: given.usage === undefined ? [] : given.usage,
  };
}
