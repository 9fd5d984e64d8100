import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRequest, requestText } from '../../src/approval/request.ts';
import { statementText, termsOf } from '../../src/approval/statement.ts';
import { anyText, REQUEST, TERMS, withBinding } from './samples.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Path = readonly (string | number)[];

/** The place of every value in a JSON value, the containers included. */
function placesIn(value: Json, at: Path = []): Path[] {
  if (value === null || typeof value !== 'object') return [at];
  const below = Object.entries(value).flatMap(([key, each]) =>
    placesIn(each as Json, [...at, Array.isArray(value) ? Number(key) : key]),
  );
  return at.length === 0 ? below : [at, ...below];
}

function valueAt(value: Json, path: Path): Json {
  return path.reduce<Json>((each, key) => (each as Record<string, Json>)[key] as Json, value);
}

/** A copy in which `change` has been made to the container and key of a place. */
function changed(value: Json, path: Path, change: (holder: Record<string, Json>, key: string) => void): Json {
  const copy = structuredClone(value) as Json;
  const holder = valueAt(copy, path.slice(0, -1)) as Record<string, Json>;
  change(holder, String(path.at(-1)));
  return copy;
}

const STATEMENT = statementText(REQUEST, TERMS);
const PARSED = JSON.parse(STATEMENT) as Json;
const PLACES = placesIn(PARSED);
const text = (value: Json) => `${JSON.stringify(value, null, 2)}\n`;

test('the terms of a statement are those it was made with', () => {
  const uses = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
  const until = fc.date({ noInvalidDate: true });
  fc.assert(
    fc.property(uses, until, (most, date) => {
      const terms = { uses: most, not_after: date.toISOString() };
      expect(termsOf(statementText(REQUEST, terms), REQUEST)).toEqual(terms);
    }),
    { numRuns: 100 },
  );
});

describe('a changed statement has no terms', () => {
  const isTerm = (path: Path) => path.length === 1 && ['uses', 'not_after'].includes(String(path[0]));
  const others = PLACES.filter((path) => !isTerm(path));

  test('whichever value is another one', () => {
    fc.assert(
      fc.property(fc.constantFrom(...others), fc.jsonValue({ maxDepth: 2 }), (path, value) => {
        fc.pre(JSON.stringify(value) !== JSON.stringify(valueAt(PARSED, path)));
        const forged = changed(PARSED, path, (holder, key) => {
          holder[key] = value as Json;
        });
        expect(termsOf(text(forged), REQUEST)).toBeNull();
      }),
      { numRuns: 300 },
    );
  });

  test.each(PLACES.map((path) => [path.join('.'), path] as const))('without %s', (_name, path) => {
    const forged = changed(PARSED, path, (holder, key) => {
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete holder[key];
    });
    expect(termsOf(text(forged), REQUEST)).toBeNull();
  });

  test('with one more field anywhere', () => {
    const objects = [[], ...PLACES].filter((path) => {
      const value = valueAt(PARSED, path);
      return value !== null && typeof value === 'object' && !Array.isArray(value);
    });
    expect(objects.length).toBeGreaterThan(4);
    for (const path of objects) {
      const forged = changed(PARSED, [...path, 'more'], (holder, key) => {
        holder[key] = 1;
      });
      expect(termsOf(text(forged), REQUEST), path.join('.')).toBeNull();
    }
  });

  test('with white space anywhere, or without what it has', () => {
    const blank = fc.constantFrom(' ', '\n', '\t', '\r', '\uFEFF', '\u00a0', '\u200b');
    fc.assert(
      fc.property(fc.nat(STATEMENT.length), blank, (at, char) => {
        expect(termsOf(STATEMENT.slice(0, at) + char + STATEMENT.slice(at), REQUEST)).toBeNull();
      }),
      { numRuns: 300 },
    );
    const blanks = [...STATEMENT.matchAll(/\s/g)].map(({ index }) => index);
    const without = blanks.map((at) => STATEMENT.slice(0, at) + STATEMENT.slice(at + 1));
    expect(without.filter((forged) => termsOf(forged, REQUEST) !== null)).toEqual([]);
  });

  const forgeries: readonly [string, string][] = [
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['a number', '1'],
    ['compact JSON', JSON.stringify(PARSED)],
    ['another key order', text(Object.fromEntries(Object.entries(PARSED as object).toReversed()))],
    ['another version', STATEMENT.replace('"capwrap_approval": 1', '"capwrap_approval": 2')],
    ['uses twice', STATEMENT.replace('"uses": 1', '"uses": 1,\n  "uses": 1')],
    ['a number written otherwise', STATEMENT.replace('"uses": 1', '"uses": 1.0')],
    ['an escaped letter', STATEMENT.replace('staging', '\\u0073taging')],
    ['no uses', statementText(REQUEST, { ...TERMS, uses: 0 })],
    ['less than no uses', statementText(REQUEST, { ...TERMS, uses: -1 })],
    ['half a use', statementText(REQUEST, { ...TERMS, uses: 1.5 })],
    ['more uses than can be counted', statementText(REQUEST, { ...TERMS, uses: 2 ** 53 })],
    ...(
      [
        ['no time', ''],
        ['a day', '2026-01-05'],
        ['another zone', '2026-01-05T12:00:00.000+01:00'],
        ['no milliseconds', '2026-01-05T11:00:00Z'],
        ['words', 'Mon, 05 Jan 2026 11:00:00 GMT'],
        ['a comment with an escape sequence', '2026-01-05 11:00:00 (\u001b[2J)'],
        ['a day that is none', '2026-02-31T11:00:00.000Z'],
        ['never', 'Invalid Date'],
      ] as const
    ).map(([what, not_after]): [string, string] => [
      `${what} as its end`,
      statementText(REQUEST, { ...TERMS, not_after }),
    ]),
  ];
  test.each(forgeries)('%s', (_what, statement) => {
    expect(statement).not.toBe(STATEMENT);
    expect(termsOf(statement, REQUEST)).toBeNull();
  });

  test('about every other request', () => {
    for (const other of [
      { ...REQUEST, id: '000000000000' },
      { ...REQUEST, nonce: 'f'.repeat(32) },
      { ...REQUEST, answer_by: '2026-01-05T10:06:00.000Z' },
      { ...REQUEST, lease_id: '0'.repeat(16) },
      withBinding({ ttl_seconds: 901 }),
      withBinding({ scope: [] }),
    ]) {
      expect(termsOf(statementText(other, TERMS), REQUEST)).toBeNull();
    }
  });
});

describe('a request in a file', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(
        anyText,
        anyText,
        fc.array(anyText),
        fc.option(anyText),
        (cwd, task_id, command, branch) => {
          const request = withBinding({ cwd, task_id, command, branch, sources: { branch: cwd } });
          expect(parseRequest(requestText(request))).toEqual(request);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('is none with any byte more, less or other', () => {
    const whole = requestText(REQUEST);
    fc.assert(
      fc.property(
        fc.nat(whole.length - 1),
        fc.constantFrom('', ' ', '\n', 'x', '0', '"', '\u202e'),
        (at, char) => {
          const forged = whole.slice(0, at) + char + whole.slice(at + (char === '' ? 1 : 0));
          const request = parseRequest(forged);
          // Where a character of a value is another one, it is another request, and says so.
          if (request !== null) expect(requestText(request)).toBe(forged);
          expect(request).not.toEqual(REQUEST);
        },
      ),
      { numRuns: 300 },
    );
  });

  const whole = requestText(REQUEST);
  const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  const hostile: readonly [string, string][] = [
    ['nothing', ''],
    ['no JSON', '{'],
    ['null', 'null'],
    ['a list', '[]'],
    ['a text', '"2f6c0e9a7b11"'],
    ['compact', JSON.stringify(JSON.parse(whole))],
    [
      'a key twice',
      whole.replace('"capability": "deploy"', '"capability": "read",\n    "capability": "deploy"'),
    ],
    ['__proto__', whole.replace('"host"', '"__proto__": {"id": "x"},\n  "host"')],
    ['__proto__ as a fact', whole.replace('"sources": {', '"sources": {\n      "__proto__": "x",')],
    ['constructor', whole.replace('"host"', '"constructor": {"prototype": {}},\n  "host"')],
    ['an unknown field', whole.replace('"host"', '"extra": 1,\n  "host"')],
    ['an unknown field of what it is for', whole.replace('"cwd"', '"extra": 1,\n    "cwd"')],
    ['a missing field', whole.replace('  "host": "laptop",\n', '')],
    ['another version', whole.replace('"capwrap_request": 1', '"capwrap_request": 2')],
    ['a number as a text', whole.replace('"ttl_seconds": 900', '"ttl_seconds": "900"')],
    ['a number too large', whole.replace('"ttl_seconds": 900', '"ttl_seconds": 1e400')],
    ['a number that can not be told from others', whole.replace('900', '9007199254740993')],
    ['an id that is a path', whole.replace(REQUEST.id, '../../../etc')],
    ['a digest that is none', whole.replace('f'.repeat(64), 'F'.repeat(64))],
    ['a time that is none', whole.replace(REQUEST.answer_by, 'tomorrow')],
    ['deep lists', deep(20_000)],
    ['a deep field', whole.replace('"scope": [', `"scope": [${deep(10_000)},`)],
    ['a long text', whole.slice(0, -2) + ' '.repeat(4_000_000)],
    ['a byte order mark', `\uFEFF${whole}`],
    ['Windows line ends', whole.replaceAll('\n', '\r\n')],
    ['no line end', whole.trimEnd()],
    ['two of them', whole + whole],
  ];
  test.each(hostile)('is none: %s', (_what, forged) => {
    expect(forged).not.toBe(whole);
    expect(parseRequest(forged)).toBeNull();
  });
});
