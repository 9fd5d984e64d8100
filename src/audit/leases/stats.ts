/** What the log says of each capability as a whole, counted in one pass. */
import type { LogBook } from '../log/book.ts';
import { isLeaked, leaksIn } from '../record/leaks.ts';
import {
  numberAt,
  parseRecord,
  type StoredRecord,
  textAt,
  textsAt,
  valueAt,
} from '../record/stored-record.ts';
import { newNumbers, newTally } from './numbers.ts';
import { type AuditRow, rowOf, textOf } from './row.ts';
import { isStopped, type RowTest } from './row-filter.ts';
import { type FoundLine, findRows, type Reading } from './rows.ts';

/** Times are in seconds. */
export interface CapabilityStats {
  readonly capability: string;
  /** When the first and the last of the runs and denials began. */
  readonly first: string;
  readonly last: string;
  /** Requests that were granted. */
  readonly runs: number;
  readonly unfinished: number;
  /** Ended by another capwrap, after their own had died. */
  readonly endedByOther: number;
  /** By reason. */
  readonly denied: Counts;
  /** How the leases ended. */
  readonly outcomes: Counts;
  /** How the children ended: `exit 0`, `exit other`, `signal`, `not started`. */
  readonly children: Counts;
  /** Runs whose child capwrap asked to end. */
  readonly stopped: number;
  readonly leaks: { readonly runs: number; readonly masked: number };
  readonly requested: Distribution;
  readonly granted: Distribution;
  /** From issue to end, of the runs that ended their own lease. */
  readonly used: Distribution;
  /** The same as a part of what each of them was granted. */
  readonly usedShare: Distribution;
  /** Runs that were granted less time than they asked for. */
  readonly shortened: number;
  /** The scopes that the runs had, as recorded. */
  readonly scopes: readonly { readonly scope: readonly string[]; readonly runs: number }[];
  /** Of the runs: by the grade of their approval, `none` where none was needed. */
  readonly approvals: Counts;
  /** From the request for an approval to the answer that completed it. */
  readonly waited: Distribution;
}

type Counts = readonly (readonly [key: string, count: number])[];
type Distribution = ReturnType<ReturnType<typeof newNumbers>['summary']>;

/** Of the rows that fit; in the order of the names. Holds a few numbers of each run. */
export function statsOf(book: LogBook, test: RowTest, reading: Reading): readonly CapabilityStats[] {
  const counters = new Map<string, Counter>();
  const counterOf = (capability: string | undefined) => {
    const name = capability ?? '';
    const counter = counters.get(name) ?? newCounter(name);
    counters.set(name, counter);
    return counter;
  };
  const answered = new Map<string, number>();
  const other = (line: FoundLine): void => {
    const id = approvalOf(line);
    if (id === null) return;
    const { record, approval } = id;
    const at = Date.parse(line.timestamp);
    // From the end of the log on, the first answer is the one that completed the approval.
    if (line.event === 'approval_given') answered.set(approval, Math.max(at, answered.get(approval) ?? at));
    const end = answered.get(approval);
    if (line.event !== 'approval_requested' || end === undefined) return;
    answered.delete(approval);
    if (test.fits(rowOf([line.bytes], [line])))
      counterOf(textAt(record, 'capability')).waited((end - at) / 1000);
  };
  for (const { row } of findRows(book, test, reading, other)) {
    const record = row.recordOf('closed') ?? row.record;
    if (row.status === 'denied' || row.events.includes('granted') || row.events.includes('closed'))
      counterOf(textAt(record, 'capability')).row(row, record);
  }
  return [...counters.keys()].sort().map((name) => counterOf(name).stats());
}

/** The id under which an approval was asked for and given. */
function approvalOf(line: FoundLine): { readonly record: StoredRecord; readonly approval: string } | null {
  if (line.event !== 'approval_given' && line.event !== 'approval_requested') return null;
  const record = parseRecord(line.bytes) ?? {};
  const approval = textAt(record, 'approval_id');
  return approval === undefined ? null : { record, approval };
}

interface Counter {
  row(row: AuditRow, record: StoredRecord): void;
  waited(seconds: number): void;
  stats(): CapabilityStats;
}

function newCounter(capability: string): Counter {
  const count = { runs: 0, unfinished: 0, endedByOther: 0, stopped: 0, shortened: 0 };
  const leaks = { runs: 0, masked: 0 };
  const tallies = { denied: newTally(), outcomes: newTally(), children: newTally(), approvals: newTally() };
  const scopes = newTally('["others"]');
  const times = {
    requested: newNumbers(),
    granted: newNumbers(),
    used: newNumbers(),
    usedShare: newNumbers(),
    waited: newNumbers(),
  };
  let [first, last] = ['', ''];
  const run = (row: AuditRow, record: StoredRecord) => {
    count.runs++;
    if (row.status === 'unfinished') count.unfinished++;
    if (row.status === 'ended') count.endedByOther++;
    const [asked, granted] = [numberAt(record, 'ttl_requested'), numberAt(record, 'ttl_seconds')];
    if (asked !== undefined) times.requested.add(asked);
    if (granted !== undefined) times.granted.add(granted);
    if (asked !== undefined && granted !== undefined && granted < asked) count.shortened++;
    scopes.add(JSON.stringify(textsAt(record, 'scope') ?? []));
    tallies.approvals.add(textAt(record, 'approval_grade') ?? 'unknown');
    if (row.status === 'unfinished') return;
    tallies.outcomes.add(textOf(row, 'outcome') ?? 'unknown');
    if (row.status !== 'closed') return;
    tallies.children.add(childOf(record));
    if (isStopped(record)) count.stopped++;
    if (isLeaked(record)) leaks.runs++;
    leaks.masked += leaksIn(record);
    const used = (Date.parse(row.timeOf('closed') ?? '') - Date.parse(row.timeOf('issued') ?? '')) / 1000;
    times.used.add(used);
    if (granted !== undefined) times.usedShare.add(used / granted);
  };
  return {
    row(row, record) {
      first = row.started;
      last ||= row.started;
      if (row.status === 'denied') tallies.denied.add(textAt(record, 'reason') ?? 'unknown');
      else run(row, record);
    },
    waited: (seconds) => times.waited.add(seconds),
    stats: () => ({
      capability,
      first,
      last,
      ...count,
      leaks,
      denied: tallies.denied.counts(),
      outcomes: tallies.outcomes.counts(),
      children: tallies.children.counts(),
      approvals: tallies.approvals.counts(),
      requested: times.requested.summary(),
      granted: times.granted.summary(),
      used: times.used.summary(),
      usedShare: times.usedShare.summary(),
      waited: times.waited.summary(),
      scopes: scopes.counts().map(([scope, runs]) => ({ scope: JSON.parse(scope) as string[], runs })),
    }),
  };
}

function childOf(record: StoredRecord): string {
  if (valueAt(record, 'child') === undefined) return 'not started';
  if (textAt(record, 'child', 'signal') !== undefined) return 'signal';
  return numberAt(record, 'child', 'exit_code') === 0 ? 'exit 0' : 'exit other';
}
