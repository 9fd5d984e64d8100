/** The changes between two maps, in lines for the person who judges them. */
import type { ChalkInstance } from 'chalk';
import { escapeText, escapeValue } from '../../base/escape.ts';
import type { ChangeKind, MapChange } from './change.ts';

/** Colours of the stream that the lines go to. */
export type ChangeColors = Pick<ChalkInstance, 'dim' | 'green' | 'red'>;

/** The word that marks each kind; colour alone says nothing on a plain terminal. */
const GROUPS: readonly (readonly [kind: ChangeKind, mark: string])[] = [
  ['widening', 'WIDENS'],
  ['narrowing', 'narrows'],
  ['neutral', 'other'],
];

/** Characters of a value that are shown. */
const SHOWN = 400;

/**
 * What widens first, then what narrows, then the rest; each change with its mark, sentence and place, and below it the
 * older and the newer value. Every value is escaped, and a long one is cut with its length. Plain without `colors`; no
 * lines where there are no changes.
 */
export function describeChanges(changes: readonly MapChange[], colors?: ChangeColors): string[] {
  const paint = {
    widening: (text: string) => colors?.red(text) ?? text,
    narrowing: (text: string) => colors?.green(text) ?? text,
    neutral: (text: string) => colors?.dim(text) ?? text,
  };
  return GROUPS.flatMap(([kind, mark]) => {
    const lines = changes
      .filter((change) => change.kind === kind)
      .flatMap((change) => [`${paint[kind](mark.padEnd(7))}  ${sentence(change)}`, ...values(change)]);
    return lines;
  });
}

/** `2 widen, 1 narrows, 3 other`; `nothing changed` where there is nothing to tell. */
export function countChanges(changes: readonly MapChange[]): string {
  const count = (kind: ChangeKind) => changes.filter((change) => change.kind === kind).length;
  if (changes.length === 0) return 'nothing that counts has changed';
  return `${count('widening')} widening, ${count('narrowing')} narrowing, ${count('neutral')} other`;
}

/** A value as it may be shown: escaped, and cut where nobody would read on. */
export function showValue(value: string | null): string {
  if (value === null) return '(none)';
  const shown = escapeValue(value.slice(0, SHOWN));
  return value.length > SHOWN ? `${shown}... (${value.length} characters)` : shown;
}

/** The message, with the place where it doesn't name that itself. */
function sentence({ message, at }: MapChange): string {
  return escapeText(message.includes(at) ? message : `${message}  (${at})`);
}

function values({ before, after }: MapChange): string[] {
  if (before === null && after === null) return [];
  return [`           was ${showValue(before)}`, `           is  ${showValue(after)}`];
}
