/** Two conditions of a rule, one by one. */
import { FACT_NAMES, type FactName } from '../../request/facts.ts';
import type { Conditions } from '../capability.ts';
import { describeCommandPattern } from '../match-command.ts';
import { canonical, type Direction } from './change.ts';
import { coversConditions } from './condition-covers.ts';

/** One condition that differs. `key` is its place below `allow` or `deny`: `branch`, `sources.actor`. */
export interface ConditionChange {
  readonly key: string;
  readonly direction: Direction;
  readonly before: string | null;
  readonly after: string | null;
}

export function compareConditions(before: Conditions, after: Conditions): ConditionChange[] {
  return ([...FACT_NAMES, 'command'] as const).flatMap((name) => {
    const [older, newer] = [alone(before, name), alone(after, name)];
    if (canonical(older) === canonical(newer)) return [];
    const sourcesOnly = canonical({ ...older, sources: null }) === canonical({ ...newer, sources: null });
    const key = sourcesOnly ? `sources.${name}` : name;
    return [{ key, direction: directionOf(older, newer), before: describe(older), after: describe(newer) }];
  });
}

/** The conditions without what they say of anything else. */
function alone(when: Conditions, name: FactName | 'command'): Conditions {
  const value = (when as Readonly<Record<string, unknown>>)[name];
  const source = name === 'command' ? undefined : when.sources?.[name];
  return {
    ...(value === undefined ? {} : { [name]: value }),
    ...(source === undefined ? {} : { sources: { [name]: source } }),
  };
}

function directionOf(before: Conditions, after: Conditions): Direction {
  if (!coversConditions(before, after)) return 'wider';
  return coversConditions(after, before) ? 'same' : 'narrower';
}

function describe({ command, sources, ...facts }: Conditions): string | null {
  const values = [
    ...Object.values(facts).flat().map(String),
    ...(command === undefined ? [] : [describeCommandPattern(command)]),
  ];
  const text = [
    ...(values.length === 0 ? [] : [values.join(' or ')]),
    ...Object.values(sources ?? {}).map((source) => `(${source})`),
  ].join(' ');
  return text === '' ? null : text;
}
