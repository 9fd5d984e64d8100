import { appendFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LogBook, withBook } from '../../src/audit/log/book.ts';
import { tempDir } from '../helpers/cli.ts';
import { writeArchivedLog } from './archived-log.ts';
import { CLOSED, seal, writeLog } from './samples.ts';

const LINES = seal(Array.from({ length: 12 }, (_, n) => ({ ...CLOSED, task_id: `task-${n}` })));

const textsFrom = (book: LogBook, from?: number) =>
  [...book.lines(from)].map(({ bytes }) => bytes.toString());

const SIZES = fc.array(fc.record({ records: fc.integer({ min: 1, max: 5 }), compressed: fc.boolean() }), {
  maxLength: 3,
});

test('the lines from a record on are the same wherever archives begin', async () => {
  await fc.assert(
    fc.asyncProperty(SIZES, fc.integer({ min: 1, max: 14 }), async (archives, from) => {
      const total = archives.reduce((sum, { records }) => sum + records, 0);
      fc.pre(total <= LINES.length);
      const path = writeArchivedLog(tempDir(), LINES, archives);
      const found = await withBook(path, (book) => textsFrom(book, from));
      expect(found).toEqual(LINES.slice(from - 1));
    }),
    { numRuns: 60 },
  );
});

test('of a log whose beginning has gone, the first line is the first that is there', async () => {
  const path = writeLog(tempDir(), LINES.slice(4));
  expect(await withBook(path, (book) => textsFrom(book, 2))).toEqual(LINES.slice(4));
});

test('what is no record is not passed over', async () => {
  const path = writeLog(tempDir(), [...LINES.slice(0, 3), 'garbage', ...LINES.slice(3)]);
  appendFileSync(path, '{"being":"written');
  expect(await withBook(path, (book) => textsFrom(book, 4))).toEqual([
    'garbage',
    ...LINES.slice(3),
    '{"being":"written',
  ]);
});
