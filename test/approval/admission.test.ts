import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { admitRequest, closeRequest, spendApproval, standing } from '../../src/approval/admission.ts';
import { type Entry, entryLine, type Verb } from '../../src/approval/ledger-lines.ts';
import { type ApprovalRequest, subjectKey } from '../../src/approval/request.ts';
import type { ApprovalDemand } from '../../src/policy/capability.ts';
import { BINDING, DEMAND, ledgerIn, REQUEST, TERMS, withBinding } from './samples.ts';

const MINUTE = 60_000;
const NOW = new Date('2026-01-05T12:00:00.000Z');
const SUBJECT = subjectKey(BINDING);
const OTHER_SUBJECT = subjectKey({ ...BINDING, capability: 'other' });

/** An entry so many minutes ago; a negative number lies in the future. */
function entry(verb: Verb, minutesAgo: number, more: Partial<Entry> = {}): Entry {
  const at = new Date(NOW.getTime() - minutesAgo * MINUTE).toISOString();
  return { verb, id: 'aaaaaaaaaaaa', at, subject: SUBJECT, lease: '0'.repeat(16), doubtful: false, ...more };
}

function ledgerOf(entries: readonly Entry[]) {
  const found = ledgerIn();
  writeFileSync(found.path, entries.map(entryLine).join(''), { mode: 0o600 });
  return found.ledger;
}

const asking = (demand: Partial<ApprovalDemand>, request = REQUEST): ApprovalRequest => ({
  ...request,
  demand: { ...DEMAND, ...demand },
});

interface Case {
  readonly what: string;
  readonly demand: Partial<ApprovalDemand>;
  readonly entries: readonly Entry[];
  /** Null where it may be asked. */
  readonly reason: 'cooling_down' | 'rate_limited' | null;
  readonly why?: RegExp;
}

const COOL = { cooldown: 15 * 60 };
const TWICE = { perHour: 2 };
const CASES: readonly Case[] = [
  { what: 'nothing was asked', demand: { ...COOL, ...TWICE }, entries: [], reason: null },
  { what: 'a denial without a cool-down', demand: {}, entries: [entry('deny', 0)], reason: null },
  {
    what: 'a denial just now',
    demand: COOL,
    entries: [entry('deny', 0)],
    reason: 'cooling_down',
    why: /in 15m$/,
  },
  {
    what: 'a denial some time ago',
    demand: COOL,
    entries: [entry('deny', 14)],
    reason: 'cooling_down',
    why: /in 1m$/,
  },
  { what: 'a denial long enough ago', demand: COOL, entries: [entry('deny', 15)], reason: null },
  {
    what: 'the last of several denials counts',
    demand: COOL,
    entries: [entry('deny', 99), entry('deny', 5), entry('deny', 60)],
    reason: 'cooling_down',
    why: /in 10m$/,
  },
  {
    what: 'a denial of another capability',
    demand: COOL,
    entries: [entry('deny', 0, { subject: OTHER_SUBJECT })],
    reason: null,
  },
  {
    what: 'a denial in the future, as a clock set back leaves it',
    demand: COOL,
    entries: [entry('deny', -600)],
    reason: 'cooling_down',
    why: /in 15m$/,
  },
  {
    what: 'an ask, a use and an end are no denials',
    demand: COOL,
    entries: [entry('ask', 0), entry('use', 0), entry('end', 0)],
    reason: null,
  },
  { what: 'one ask within the hour', demand: TWICE, entries: [entry('ask', 1)], reason: null },
  {
    what: 'two asks within the hour',
    demand: TWICE,
    entries: [entry('ask', 59), entry('ask', 1)],
    reason: 'rate_limited',
    why: /asked for 2 times/,
  },
  {
    what: 'one of two an hour ago',
    demand: TWICE,
    entries: [entry('ask', 60), entry('ask', 1)],
    reason: null,
  },
  {
    what: 'asks in the future, as a clock set back leaves them',
    demand: TWICE,
    entries: [entry('ask', -90), entry('ask', -600)],
    reason: 'rate_limited',
  },
  {
    what: 'asks for another capability',
    demand: TWICE,
    entries: [1, 2, 3].map((n) => entry('ask', n, { subject: OTHER_SUBJECT })),
    reason: null,
  },
  { what: 'asks without a limit', demand: {}, entries: [1, 2, 3].map((n) => entry('ask', n)), reason: null },
  {
    what: 'denials and uses are no asks',
    demand: TWICE,
    entries: [entry('deny', 1), entry('use', 1), entry('end', 1)],
    reason: null,
  },
];

describe('before somebody is asked', () => {
  test.each(CASES)('$what: $reason', async ({ demand, entries, reason, why }) => {
    const ledger = ledgerOf(entries);
    const fault = await admitRequest(ledger, asking(demand), NOW);
    expect(fault?.reason ?? null).toBe(reason);
    if (why) expect(fault?.why).toMatch(why);
    const added = ledger.read().slice(entries.length);
    expect(added.map(({ verb, id, subject, lease }) => [verb, id, subject, lease])).toEqual(
      reason === null ? [['ask', REQUEST.id, SUBJECT, REQUEST.lease_id]] : [],
    );
  });

  test('the same capability of another map is another one', async () => {
    const ledger = ledgerOf([entry('deny', 0)]);
    const request = asking(COOL, withBinding({ map_path: '/elsewhere/capabilities.yaml' }));
    expect(await admitRequest(ledger, request, NOW)).toBeNull();
  });

  test('many at once get no more than the rule permits', async () => {
    const ledger = ledgerOf([]);
    const faults = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        admitRequest(ledger, asking({ perHour: 3 }, { ...REQUEST, id: `00000000000${n}` }), new Date()),
      ),
    );
    expect(faults.filter((fault) => fault === null)).toHaveLength(3);
  });
});

describe('how an approval stands', () => {
  const own = { id: REQUEST.id };
  const ask = entry('ask', 9, own);
  const use = entry('use', 5, own);
  const cases: readonly [string, readonly Entry[], number | null, string | null][] = [
    ['asked', [ask], 1, null],
    ['asked, whatever it permits', [ask], null, null],
    ['never asked', [], 1, 'not_asked_here'],
    ['never asked, but another was', [entry('ask', 9)], 1, 'not_asked_here'],
    ['used without being asked', [use], 5, 'not_asked_here'],
    ['denied', [ask, entry('deny', 5, own)], 1, 'refused'],
    ['denied after a use', [ask, use, entry('deny', 1, own)], 5, 'refused'],
    ['denied and ended', [ask, entry('end', 5, own), entry('deny', 1, own)], 1, 'refused'],
    ['used up', [ask, use], 1, 'used_up'],
    ['used, with uses left', [ask, use], 2, null],
    ['used more than it permits', [ask, use, use, use], 2, 'used_up'],
    ['used, whatever it permits', [ask, use], null, null],
    ['used up by a use in doubt', [ask, { ...use, doubtful: true }], 1, 'used_up'],
    ['ended', [ask, entry('end', 5, own)], 1, 'ended'],
    ['ended, whatever it permits', [ask, entry('end', 5, own)], null, 'ended'],
    ['used up and ended', [ask, use, entry('end', 5, own)], 1, 'used_up'],
    [
      'asked, while another was denied, used and ended',
      [ask, ...(['deny', 'use', 'end'] as const).map((verb) => entry(verb, 1))],
      1,
      null,
    ],
  ];
  test.each(cases)('%s', (_what, entries, uses, reason) => {
    const terms = uses === null ? null : { ...TERMS, uses };
    expect(standing(entries, REQUEST.id, terms)?.reason ?? null).toBe(reason);
  });
});

describe('an approval', () => {
  test('is used as often as it permits, and says how often', async () => {
    const ledger = ledgerOf([entry('ask', 1, { id: REQUEST.id })]);
    const terms = { ...TERMS, uses: 2 };
    expect(await spendApproval(ledger, REQUEST, terms, '1'.repeat(16))).toBeNull();
    expect(await spendApproval(ledger, REQUEST, terms, '2'.repeat(16))).toBeNull();
    expect(await spendApproval(ledger, REQUEST, terms, '3'.repeat(16))).toMatchObject({
      reason: 'used_up',
      why: 'was used already, 2 times, as often as it permits',
    });
    expect(
      ledger
        .read()
        .slice(1)
        .map(({ lease }) => lease),
    ).toEqual(['1'.repeat(16), '2'.repeat(16)]);
  });

  test.each(['deny', 'end'] as const)('is closed once by %s, and not used afterwards', async (verb) => {
    const ledger = ledgerOf([entry('ask', 1, { id: REQUEST.id })]);
    expect(await closeRequest(ledger, REQUEST, verb)).toBeNull();
    expect(await closeRequest(ledger, REQUEST, verb)).not.toBeNull();
    expect(await spendApproval(ledger, REQUEST, TERMS, '1'.repeat(16))).toMatchObject({
      reason: verb === 'deny' ? 'refused' : 'ended',
    });
    expect(ledger.read().map((each) => each.verb)).toEqual(['ask', verb]);
  });

  test('that nobody asked for can be neither used nor closed', async () => {
    const ledger = ledgerOf([]);
    for (const fault of [
      await spendApproval(ledger, REQUEST, TERMS, '1'.repeat(16)),
      await closeRequest(ledger, REQUEST, 'deny'),
      await closeRequest(ledger, REQUEST, 'end'),
    ])
      expect(fault).toMatchObject({ reason: 'not_asked_here' });
    expect(ledger.read()).toEqual([]);
  });
});
