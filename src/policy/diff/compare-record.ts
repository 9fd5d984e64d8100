/** Mappings of free names to texts. */
import { formatPlace, parsePlace } from '../map-place.ts';
import type { MapChange } from './change.ts';

/**
 * Names and values of which nobody here knows what they do: a tag can open a policy by being there or by being gone,
 * a variable can hold a command back. So each difference widens.
 */
export function compareRecord(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
  at: string,
  code: string,
): MapChange[] {
  const names = [...new Set([...Object.keys(after), ...Object.keys(before)])];
  return names.flatMap((name) => {
    const [older, newer] = [own(before, name), own(after, name)];
    if (older === newer) return [];
    const ends = older === null ? 'is new' : newer === null ? 'is gone' : 'has another value';
    const place = newer === null ? at : formatPlace([...parsePlace(at), name]);
    return [
      {
        kind: 'widening',
        at: place,
        code,
        message: `"${name}" in ${at} ${ends}`,
        before: older,
        after: newer,
      },
    ];
  });
}

function own(record: Readonly<Record<string, string>>, name: string): string | null {
  return Object.hasOwn(record, name) ? (record[name] ?? null) : null;
}
