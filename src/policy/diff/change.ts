/** One difference between two maps, as people and tools read it. */

/**
 * `widening`: something may be had now that could not be had before, or it can't be shown that nothing may. `narrowing`:
 * something that could be had is gone. `neutral`: what may be had is the same.
 */
export type ChangeKind = 'widening' | 'narrowing' | 'neutral';

export interface MapChange {
  readonly kind: ChangeKind;
  /** Place in the newer map: `capabilities.deploy.rules[1].max_ttl`. What is gone is told at what held it. */
  readonly at: string;
  /** Stable key; tools rely on it. */
  readonly code: string;
  /** One sentence. Values in it are as they are in the map: escape before showing. */
  readonly message: string;
  /** The older and the newer value as text, unescaped; null where there is none. */
  readonly before: string | null;
  readonly after: string | null;
}

/** A value that is another one than before. */
export function anotherOne(
  kind: ChangeKind,
  at: string,
  code: string,
  before: string | null,
  after: string | null,
): MapChange {
  return { kind, at, code, message: `"${at}" is another one`, before, after };
}

/** How a value compares with the one before it. */
export type Direction = 'wider' | 'narrower' | 'same';

export const KIND_OF = { wider: 'widening', narrower: 'narrowing', same: 'neutral' } as const;

/** Larger is wider; null stands for no bound at all. */
export function compareBounds(before: number | null, after: number | null): Direction {
  const [older, newer] = [before ?? Number.POSITIVE_INFINITY, after ?? Number.POSITIVE_INFINITY];
  return newer > older ? 'wider' : newer < older ? 'narrower' : 'same';
}

/** Words listed from the narrowest to the widest. */
export function compareRanks<Word extends string>(
  narrowestFirst: readonly Word[],
  before: Word,
  after: Word,
): Direction {
  return compareBounds(narrowestFirst.indexOf(before), narrowestFirst.indexOf(after));
}

/** Names that may be used: one more is wider, whatever else is gone. */
export function compareNames(before: readonly string[], after: readonly string[]): Direction {
  if (after.some((name) => !before.includes(name))) return 'wider';
  return before.some((name) => !after.includes(name)) ? 'narrower' : 'same';
}

/** For values that can't be ordered: any other one counts as wider. */
export function compareExact(before: unknown, after: unknown): Direction {
  return canonical(before) === canonical(after) ? 'same' : 'wider';
}

/** JSON with the keys of mappings in order, so that equal values have equal texts. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
