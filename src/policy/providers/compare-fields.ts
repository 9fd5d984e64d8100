/** The differences of two configs of one provider, field by field. */
import { anotherOne, canonical, type MapChange } from '../diff/change.ts';
import { mapWord } from '../map-word.ts';

/** `at` is the place of the field. */
export type Comparer<Value> = (before: Value, after: Value, at: string) => MapChange[];

/**
 * How each field counts. `widening`: any other value is another credential. `neutral`: the value changes nothing about
 * what may be had. A field that is added to the config does not compile before it is here.
 */
export type FieldComparisons<Config> = {
  readonly [Field in Exclude<keyof Config, 'provider'>]-?: 'widening' | 'neutral' | Comparer<Config[Field]>;
};

/**
 * In the order of `fields`. A plain difference has the map's word of the field as its code, and texts as they are; other
 * values are shown as JSON. `at` is the place of what holds the fields.
 */
export function compareFields<Config extends object>(
  fields: FieldComparisons<Config>,
  before: Config,
  after: Config,
  at: string,
): MapChange[] {
  const names = Object.keys(fields) as Exclude<keyof Config, 'provider'>[];
  return names.flatMap((name) => {
    const how = fields[name];
    const word = mapWord(String(name));
    const place = `${at}.${word}`;
    if (typeof how === 'function') return how(before[name], after[name], place);
    if (canonical(before[name]) === canonical(after[name])) return [];
    return [anotherOne(how, place, word, textOf(before[name]), textOf(after[name]))];
  });
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'string' ? value : canonical(value);
}
