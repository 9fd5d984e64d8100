import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Entry, entryLine, parseLedger, TORN_MARK, VERBS } from '../../src/approval/ledger-lines.ts';
import { anyText } from './samples.ts';

const hexDigits = (length: number) =>
  fc
    .array(fc.integer({ min: 0, max: 15 }), { minLength: length, maxLength: length })
    .map((digits) => digits.map((digit) => digit.toString(16)).join(''));

const entries: fc.Arbitrary<Entry> = fc.record({
  verb: fc.constantFrom(...VERBS),
  id: hexDigits(12),
  at: fc
    .date({ min: new Date('2000-01-01'), max: new Date('2999-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  subject: anyText,
  lease: hexDigits(16),
  doubtful: fc.constant(false),
});

test('what is written is read again, whatever a subject holds', () => {
  fc.assert(
    fc.property(fc.array(entries, { maxLength: 6 }), (written) => {
      const text = written.map(entryLine).join('');
      expect(text.split('\n')).toHaveLength(written.length + 1);
      expect(parseLedger(text)).toEqual({ entries: written, torn: false, fault: null });
    }),
    { numRuns: 200 },
  );
});

const AT = '2026-01-05T10:00:00.000Z';
const LATER = '2026-01-05T10:30:00.000Z';
const [ONE, TWO, OTHER] = ['2f6c0e9a7b11', '2f6c0e9a7b22', 'ffffffffffff'] as const;
const MARK = `${TORN_MARK} ${LATER}\n`;

function entry(verb: Entry['verb'], id: string, subject = 'deploy@/repo/capabilities.yaml'): Entry {
  return { verb, id, at: AT, subject, lease: '9f8c6b6a41d2e07c', doubtful: false };
}
const line = (verb: Entry['verb'], id: string) => entryLine(entry(verb, id));

const count = (found: readonly Entry[], verb: Entry['verb'], id: string) =>
  found.filter((each) => each.verb === verb && each.id === id).length;

/** Whether what is left of a line, `rest`, could be the beginning of a line with this verb and id. */
const couldBe = (rest: string, verb: Entry['verb'], id: string) => {
  const begin = `${verb} ${id} `;
  return rest !== '' && (begin.startsWith(rest) || rest.startsWith(begin));
};

const BEFORE = [line('ask', ONE), line('ask', TWO), line('use', ONE), line('ask', OTHER)].join('');

describe('the last line cut at every byte', () => {
  const cases = (['use', 'deny', 'ask', 'end'] as const).flatMap((verb) =>
    [ONE, TWO, OTHER].map((id) => [verb, id] as const),
  );
  test.each(cases)('%s %s', (verb, id) => {
    const last = line(verb, id);
    for (let length = 1; length < last.length; length++) {
      const rest = last.slice(0, length);
      const complete = length === last.length - 1;
      for (const [text, torn] of [
        [BEFORE + rest, true],
        [`${BEFORE}${rest}\n${MARK}`, false],
        [`${BEFORE}${rest}\n${MARK}${line('ask', 'eeeeeeeeeeee')}`, false],
      ] as const) {
        const found = parseLedger(text);
        const counted = [ONE, TWO, OTHER].flatMap((asked) => [
          count(found.entries, 'use', asked),
          count(found.entries, 'deny', asked),
        ]);
        const expected = [ONE, TWO, OTHER].flatMap((asked) => [
          (asked === ONE ? 1 : 0) + (couldBe(rest, 'use', asked) ? 1 : 0),
          couldBe(rest, 'deny', asked) ? 1 : 0,
        ]);
        const sure = found.entries.filter(({ doubtful }) => !doubtful).length;
        const added = (complete && !torn ? 1 : 0) + (text.includes('eeeeeeeeeeee') ? 1 : 0);
        expect([found.torn, found.fault, sure, ...counted], text).toEqual([
          torn,
          null,
          4 + added,
          ...expected,
        ]);
      }
    }
  });

  test('and the mark behind it cut at every byte, once and again', () => {
    const rest = `use ${ONE} 2026-`;
    for (let first = 0; first <= MARK.length; first++) {
      for (let second = 0; second <= MARK.length; second += 5) {
        const text = `${BEFORE}${rest}\n${MARK.slice(0, first)}\n${MARK.slice(0, second)}\n${MARK}`;
        const found = parseLedger(text);
        const uses = [ONE, TWO].map((id) => count(found.entries, 'use', id));
        expect([found.torn, found.fault, ...uses], text).toEqual([false, null, 2, 0]);
      }
    }
  });
});

describe('what a cut line may have been', () => {
  test('is nothing for an approval that nobody had asked for by then', () => {
    const found = parseLedger(`${BEFORE}use e\n${MARK}${line('ask', 'eeeeeeeeeeee')}`);
    expect(count(found.entries, 'use', 'eeeeeeeeeeee')).toBe(0);
  });

  test('is anything for as long as it says nothing', () => {
    const uses = parseLedger(`${BEFORE}u`).entries.filter(({ doubtful }) => doubtful);
    expect(uses.map(({ verb, id }) => `${verb} ${id}`)).toEqual([ONE, TWO, OTHER].map((id) => `use ${id}`));
  });

  test('has the time of the mark, and the subject of the request', () => {
    const [doubt] = parseLedger(`${BEFORE}deny ${TWO} 20\n${MARK}`).entries.filter(
      ({ doubtful }) => doubtful,
    );
    expect(doubt).toEqual({ ...entry('deny', TWO), at: LATER, doubtful: true });
  });
});

describe('damage', () => {
  const good = [line('ask', ONE), line('use', ONE), line('ask', TWO)];
  const damaged = (at: number, instead: string) =>
    good.map((each, index) => (index === at ? instead : each)).join('');
  const broken: readonly [string, string, number][] = [
    ['in the first line', damaged(0, 'garbage\n'), 1],
    ['in the second line', damaged(1, good[1]?.replace('use', 'uze') ?? ''), 2],
    ['that is an empty line', damaged(1, '\n'), 2],
    ['that is two lines: the first is named', damaged(1, 'one\ntwo\n'), 2],
    ['a day that is none', damaged(1, good[1]?.replace('2026-01-05', '2026-13-45') ?? ''), 2],
    ['a time that is none', damaged(1, good[1]?.replace('10:00:00.000', '::::::::') ?? ''), 2],
    ['a mark with a time that is none', damaged(1, `${TORN_MARK} 2026-13-45T10:00:00.000Z\n`), 2],
    ['a verb that is none', damaged(1, good[1]?.replace('use', 'lend') ?? ''), 2],
    ['an id in capitals', damaged(1, good[1]?.replace(ONE, ONE.toUpperCase()) ?? ''), 2],
    ['a subject that is no JSON', damaged(1, good[1]?.replace('"deploy', '"\\deploy') ?? ''), 2],
    ['Windows line ends', good.join('').replaceAll('\n', '\r\n'), 1],
    // One crash cuts one line: whatever stands before the mark's own rests was written whole.
    ['two lines before a mark', `${good.join('')}use ${ONE} 20\ngarbage\n${MARK}`, 4],
    ['a whole line before a cut one', `${good.join('')}garbage\nuse ${ONE} 20\n${MARK}`, 4],
    ['two lines at the end', `${good.join('')}garbage\ngarbage\n`, 4],
    ['behind a mark that was cut', `${good.join('')}garbage\n\nto\n${line('use', TWO)}`, 4],
    ['a line at the end, and a cut one', `${good.join('')}garbage\nuse ${ONE}`, 4],
  ];
  test.each(broken)('%s: is named by its number', (_what, text, fault) => {
    expect(parseLedger(text)).toMatchObject({ fault });
  });

  test('of the end by zeros, as a crash leaves them, is a cut line', () => {
    expect(parseLedger(`${good.join('')}${'\0'.repeat(300)}`)).toMatchObject({ torn: true, fault: null });
    const repaired = `${good.join('')}${'\0'.repeat(300)}\n${'\0'.repeat(20)}\n${MARK}`;
    expect(parseLedger(repaired)).toMatchObject({ torn: false, fault: null });
  });
});

test('an empty ledger, and one that only a mark stands in', () => {
  expect(parseLedger('')).toEqual({ entries: [], torn: false, fault: null });
  expect(parseLedger(`\n${MARK}`)).toEqual({ entries: [], torn: false, fault: null });
});
