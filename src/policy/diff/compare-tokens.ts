/** Scope that is a list of words, and the changes that all kinds of scope know. */
import { canonical, compareNames, KIND_OF, type MapChange } from './change.ts';

/** Words that stand for themselves, such as the tokens of an OAuth scope. `at` is the place of the list. */
export function compareTokens(before: readonly string[], after: readonly string[], at: string): MapChange[] {
  if (canonical(before) === canonical(after)) return [];
  const added = after.filter((token) => !before.includes(token));
  const gone = before.filter((token) => !after.includes(token));
  if (compareNames(before, after) === 'same') return [rewrittenScope(at)];
  return [
    ...(added.length === 0 ? [] : [widerScope(at, added)]),
    ...(gone.length === 0 ? [] : [narrowerScope(at, gone)]),
  ];
}

export function widerScope(at: string, added: readonly string[]): MapChange {
  const message = `"${at}" allows what was not allowed before`;
  return { kind: KIND_OF.wider, at, code: 'scope_added', message, before: null, after: added.join('; ') };
}

export function narrowerScope(at: string, gone: readonly string[]): MapChange {
  const message = `"${at}" no longer allows some of what it allowed`;
  return { kind: KIND_OF.narrower, at, code: 'scope_removed', message, before: gone.join('; '), after: null };
}

export function rewrittenScope(at: string): MapChange {
  const message = `"${at}" allows the same, written in another way`;
  return { kind: 'neutral', at, code: 'scope_rewritten', message, before: null, after: null };
}
