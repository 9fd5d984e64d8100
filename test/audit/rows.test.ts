/** Rows are found by the bytes of their lines; what is found must be what parsing every line would find. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placeOf, readPlaced } from '../../src/audit/leases/placed-rows.ts';
import { FILTER_FIELDS, rowTest, type TextFilter } from '../../src/audit/leases/row-filter.ts';
import { findRows } from '../../src/audit/leases/rows.ts';
import { archiveName } from '../../src/audit/log/archives.ts';
import { withBook } from '../../src/audit/log/book.ts';
import { textAt } from '../../src/audit/record/stored-record.ts';
import { toJson } from '../../src/base/escape.ts';
import { compilePattern } from '../../src/policy/pattern.ts';
import { tempDir } from '../helpers/cli.ts';
import { naiveRows } from './naive-rows.ts';

const VALUES = [
  'web',
  'acme/web',
  'acme/é',
  'a"b',
  'a\\b',
  'x\ny',
  'ada,grace',
  '\u202e',
  '\u{1f600}',
  'we',
  '',
];
const value = fc.oneof(fc.constantFrom(...VALUES), fc.constantFrom(null, 7, true, ['web'], { web: 'web' }));
const NAMES = ['repo', 'approver', 'outcome'] as const satisfies readonly TextFilter[];
const FIELDS = NAMES.map((name) => FILTER_FIELDS[name]);
const LEASES = ['9f8c6b6a41d2e07c', '9f8c', 'b', 'a"b'];
const EVENTS = [
  'granted',
  'granted',
  'issued',
  'closed',
  'closed',
  'lease_ended',
  'denied',
  'trusted',
  'other',
];

type Pair = readonly [name: string, value: unknown];

/** A record's fields, as capwrap orders them or not; some stand twice. */
const pairs: fc.Arbitrary<readonly Pair[]> = fc
  .tuple(
    fc.constantFrom(...EVENTS),
    fc.option(fc.constantFrom(...LEASES), { nil: undefined, freq: 9 }),
    fc.dictionary(fc.constantFrom(...FIELDS), value, { maxKeys: 4 }),
    fc.oneof(
      fc.tuple(fc.constant('event'), fc.constantFrom(...EVENTS)),
      fc.tuple(fc.constantFrom('lease_id', 'x"lease_id'), fc.constantFrom(...LEASES)),
      fc.tuple(fc.constantFrom(...FIELDS), value),
    ),
    fc.nat(9),
  )
  .chain(([event, lease, fields, twice, hostile]) => {
    const whole: Pair[] = [
      ['timestamp', '2026-03-01T12:00:00.000Z'],
      ['event', event],
      ...Object.entries(fields),
      ...(lease === undefined ? [] : [['lease_id', lease] as const]),
      ['facts', { repo: { value: 'web', lease_id: 'b' }, list: ['9f8c'] }],
    ];
    if (hostile < 7) return fc.constant(whole);
    const more: Pair[] = [...whole, twice];
    return hostile < 8 ? fc.constant(more) : fc.shuffledSubarray(more, { minLength: more.length });
  });

const spelled = (text: string) =>
  `"${[...text].map((char) => (char.length > 1 ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)).join('')}"`;

/** A line as capwrap writes it, or as JSON may be written, too; or none. */
const line = fc.tuple(pairs, fc.nat(19), fc.nat(400)).map(([fields, form, at]) => {
  const plain = `{${fields.map(([name, of]) => `${toJson(name)}:${toJson(of)}`).join(',')}}`;
  if (form === 0) return plain.replace(/":/g, '" : ');
  if (form === 1)
    return `{${fields.map(([name, of]) => `${spelled(name)}:${typeof of === 'string' ? spelled(of) : toJson(of)}`).join(',')}}`;
  if (form === 2) return plain.replaceAll('/', '\\/');
  if (form === 3)
    return `{${fields.map(([name, of]) => `${JSON.stringify(name)}:${JSON.stringify(of)}`).join(',')}}`;
  if (form === 4) return plain.slice(0, at);
  if (form === 5) return 'garbage';
  if (form === 6) return plain.replace(/}$/, `,"long":"${'x'.repeat(70_000 + at)}"}`);
  return plain;
});

const wantedText = fc.constantFrom(...VALUES.filter((text) => text !== ''), 'acme/*', '**e**', 'w*', 'ada');
const filter = fc.dictionary(fc.constantFrom(...NAMES), wantedText, { maxKeys: 2 });

test('the rows are those of the plain way, on logs of any form, over archives', async () => {
  const folder = tempDir();
  const path = join(folder, 'audit.jsonl');
  const [first, second] = [archiveName(1, 9), archiveName(10, 12)];
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 12 }),
      fc.array(line, { maxLength: 6 }),
      fc.array(line, { maxLength: 6 }),
      filter,
      fc.constantFrom('', '9f8c', 'b', 'a"'),
      async (one, two, three, wanted, lease) => {
        const text = (lines: readonly string[]) => lines.map((each) => `${each}\n`).join('');
        writeFileSync(join(folder, first), text(one));
        writeFileSync(join(folder, `${second}.gz`), gzipSync(text(two), { level: 1 }));
        writeFileSync(path, text(three).slice(0, -1));
        const found = await withBook(path, (book) => {
          const test = rowTest({ ...wanted, ...(lease === '' ? {} : { lease }) });
          const places = [...findRows(book, test, { lines: 0, unreadable: 0 })].map(placeOf);
          const rows = [...readPlaced(book, places)].map(({ status, started, ended, record }) => ({
            status,
            started,
            ended,
            record,
          }));
          return { rows, naive: naiveRows(book, (record) => likes(record, wanted, lease)) };
        });
        expect(found?.rows).toEqual(found?.naive);
      },
    ),
    { numRuns: 150 },
  );
});

function likes(
  record: Readonly<Record<string, unknown>>,
  wanted: Partial<Record<TextFilter, string>>,
  lease: string,
): boolean {
  if (lease !== '' && !(textAt(record, 'lease_id') ?? '').startsWith(lease)) return false;
  return (Object.entries(wanted) as [TextFilter, string][]).every(([name, pattern]) => {
    const given = textAt(record, FILTER_FIELDS[name]);
    const compiled = compilePattern(pattern);
    const matches = (text: string) =>
      pattern.includes('*') ? compiled.ok && compiled.matches(text) : text === pattern;
    return given !== undefined && (name === 'approver' ? given.split(',') : [given]).some(matches);
  });
}
