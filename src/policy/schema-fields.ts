/** The building blocks of the map's schema: each says in words what it wants, as the end of `"key" …`. */
import * as v from 'valibot';
import { parseDuration } from '../base/duration.ts';
import { SERVER_URL, WANTS_SERVER_URL } from '../base/server-url.ts';
import { PATTERN_SHAPE, patternFault } from './pattern.ts';

/** Marks of issues that are ours rather than valibot's; schema-faults.ts reads them. */
export const UNKNOWN_KEY = 'is not a known key';

const MAPPING = 'must be a mapping';

/** Arrays pass for objects in valibot; a YAML list is no mapping. */
export function isMapping(input: unknown): input is Readonly<Record<string, unknown>> {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}

/**
 * A mapping with exactly these keys. Unlike `v.strictObject`, which stops at the first, it reports every unknown
 * key, with the known ones as `expected`.
 */
export function keys<const Entries extends v.ObjectEntries>(
  entries: Entries,
): v.StrictObjectSchema<Entries, string> {
  const known = Object.keys(entries);
  const schema = v.pipe(
    v.looseObject(entries, MAPPING),
    v.rawCheck(({ dataset, addIssue }) => {
      const input = dataset.value as Record<string, unknown>;
      if (!isMapping(input)) return;
      for (const key of Object.keys(input)) {
        if (known.includes(key)) continue;
        const path = [{ type: 'object', origin: 'key', input, key, value: input[key] }] as const;
        addIssue({ message: UNKNOWN_KEY, input: key, expected: known.join(' '), path: [...path] });
      }
    }),
  );
  // The same entries, the same result, only stricter towards further keys: exactly a strict object to its users.
  return schema as unknown as v.StrictObjectSchema<Entries, string>;
}

/** `schema` for mappings only, with what it is for. */
export function mapping<Schema extends v.GenericSchema>(schema: Schema, description: string) {
  return v.pipe(v.custom<v.InferInput<Schema>>(isMapping, MAPPING), schema, v.description(description));
}

/** A key that may be missing, with what it is for. */
export function maybe<Schema extends v.GenericSchema>(schema: Schema, description: string) {
  return v.exactOptional(v.pipe(schema, v.description(description)));
}

/** A key that must be there, with what it is for. */
export function must<Schema extends v.GenericSchema>(schema: Schema, description: string) {
  return v.pipe(schema, v.description(description));
}

/** The word that tells one kind of mapping from another, with what that kind is. */
export function kind<const Word extends string>(word: Word, description: string) {
  return v.pipe(v.literal(word), v.description(description));
}

/** One of a few words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(...words: Words) {
  return v.picklist(words, `must be ${words.length === 1 ? words[0] : `one of ${words.join(', ')}`}`);
}

/** A list with at least one entry. */
export function listOf<Schema extends v.GenericSchema>(item: Schema, wants = 'must be a list') {
  return v.pipe(v.array(item, wants), v.nonEmpty('must not be an empty list'));
}

/** Text of a given shape and length. */
export function text(shape: RegExp, wants: string, maxLength = 2048) {
  return v.pipe(
    v.string('must be text'),
    v.regex(shape, wants),
    v.maxLength(maxLength, `must not be longer than ${maxLength} characters`),
  );
}

/** One line of text. */
export function line(maxLength = 256) {
  return text(/^[^\u0000-\u001f\u007f-\u009f]+$/, 'must be one line of text, not empty', maxLength);
}

/** Text for people; it may have several lines. */
export const prose = text(
  /^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]+$/,
  'must be text without control characters',
  1024,
);

export const boolean = v.boolean('must be true or false');

/** A duration as it is written; `seconds` reads it. */
export const duration = v.union(
  [
    v.pipe(
      v.number('must be a duration'),
      v.integer('must be whole seconds'),
      v.minValue(1, 'must be longer than nothing'),
      v.maxValue(999_999, 'must not be longer than 999999 seconds'),
    ),
    v.pipe(
      v.string('must be a duration'),
      v.regex(
        /^(?=.*[1-9])(?:\d{1,6}|(?=\d)(?:\d{1,4}h)?(?:\d{1,5}m)?(?:\d{1,6}s)?)$/,
        'must be a duration such as 900, 15m or 1h30m',
      ),
    ),
  ],
  'must be a duration such as 900, 15m or 1h30m',
);

/** Whole seconds of a duration that the schema has accepted. */
export function seconds(value: number | string): number {
  return typeof value === 'number' ? value : (parseDuration(value) ?? 0);
}

/** A file path: absolute, or relative to the map. */
export const path = text(
  /^[^~\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$/,
  'must be an absolute path or one relative to the map ("~" is not expanded)',
  4096,
);

export const serverUrl = v.pipe(
  v.string('must be text'),
  v.regex(SERVER_URL, WANTS_SERVER_URL),
  v.check((url) => URL.canParse(url), 'must be a URL'),
);

/** A pattern of the map (pattern.ts). */
export const pattern = v.pipe(
  v.string('must be text'),
  v.regex(PATTERN_SHAPE, (issue) => patternFault(issue.input) ?? 'must be a pattern'),
);

/** The name of an environment variable. */
export const variable = text(
  /^[A-Za-z_][A-Za-z0-9_]*$/,
  'must be the name of one variable: letters, digits, _',
  256,
);

/** The value of an environment variable: text without NUL, far below what a process may be handed. */
export const variableValue = text(/^[^\u0000]*$/, 'must be text without NUL', 65_536);
