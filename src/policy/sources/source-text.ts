/** A source for people: in summaries and in the differences of two maps. */
import { anotherOne, type MapChange } from '../diff/change.ts';
import { mapWord } from '../map-word.ts';
import { pairs } from '../summary-text.ts';
import { allowsLongLived, type Source } from './index.ts';

/** Every field of the source, whatever its type, by the names that the map has for them; escaped. */
export function sourceText(source: Source): string {
  const ends = allowsLongLived(source) ? ['long_lived=allow (a key without an expiry)'] : [];
  return [source.type, ...pairs(Object.fromEntries(exactFields(source))), ...ends].join(' ');
}

/** The right to show a key without an expiry has an order; everything else of a source is exact. */
export function compareSources(before: Source, after: Source, at: string): MapChange[] {
  const [older, newer] = [describe(before), describe(after)];
  const [wasAllowed, isAllowed] = [allowsLongLived(before), allowsLongLived(after)];
  const changes: MapChange[] = [];
  if (older !== newer) changes.push(anotherOne('widening', at, 'source', older, newer));
  if (wasAllowed !== isAllowed) {
    const kind = isAllowed ? 'widening' : 'narrowing';
    const [from, to] = [wasAllowed, isAllowed].map((allowed) => (allowed ? 'allow' : 'refuse'));
    changes.push(anotherOne(kind, `${at}.long_lived`, 'source_long_lived', from ?? null, to ?? null));
  }
  return changes;
}

/** Each key with its value in JSON, so that different sources have different texts. */
function describe(source: Source): string {
  const texts = exactFields(source).filter(([, value]) => value !== null);
  return [source.type, ...texts.map(([key, value]) => `${key}=${JSON.stringify(value)}`)].join(' ');
}

function exactFields({ type: _type, ...fields }: Source): [string, unknown][] {
  return Object.entries(fields)
    .filter(([key]) => key !== 'longLived')
    .map(([key, value]) => [mapWord(key), value]);
}
