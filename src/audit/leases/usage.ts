/**
 * How often the rules of a capability were used, counted from the audit log.
 *
 * A use is a `granted` record of the rule, unless its `closed` says that nothing was issued. A lease is open from
 * `granted` to `closed` or `lease_ended`, or until its time is over. A rule is known by its map and its place there,
 * which names the capability; the record's own `capability` went through the masker, where the caller has a say.
 */
import { toJson } from '../../base/escape.ts';
import { CapwrapError } from '../../errors.ts';
import type { Capability } from '../../policy/capability.ts';
import type { RuleUsage } from '../../request/run-request.ts';
import { type LogBook, withBook } from '../log/book.ts';
import type { LogLine } from '../log/lines.ts';
import { asRecorded } from '../record/build-record.ts';
import { parseRecord, type StoredRecord, textAt } from '../record/stored-record.ts';

/** What is counted. */
export interface UsageQuery {
  readonly capability: Pick<Capability, 'name' | 'rules'>;
  readonly mapPath: string;
  /** As a record has it: masked. */
  readonly taskId: string;
}

/** From the log at `path`; no use where there is none. Null where it can't be told. */
export async function readUsage(path: string, query: UsageQuery): Promise<RuleUsage[] | null> {
  try {
    const counted = await withBook(path, (book) => ({ usage: usageIn(book, query) }));
    return counted === null ? countUsage([], query, new Date()) : counted.usage;
  } catch {
    return null;
  }
}

/** From the open log, as for a look under its lock. Null where it can't be told. */
export function usageIn(book: LogBook, query: UsageQuery): RuleUsage[] | null {
  try {
    return countUsage(book.linesBackwards(), query, new Date());
  } catch {
    return null;
  }
}

/**
 * Counts from the lines of a log, last first, for each rule with limits. Takes no more lines than it needs: of the last
 * two days, or all where a rule has `per_task`. Throws ERR_AUDIT_UNSAFE where a line that names a rule of the capability
 * is no record. A line without an end is none yet: nothing was issued on it.
 */
export function countUsage(lines: Iterable<LogLine>, query: UsageQuery, now: Date): RuleUsage[] {
  const rules = query.capability.rules.filter(({ limits }) => limits !== null);
  const counts = new Map(rules.map(({ at }) => [at, { lastHour: 0, forTask: 0, open: 0 }]));
  const wholeLog = rules.some(({ limits }) => limits?.perTask != null);
  const mapPath = asRecorded('map_path', query.mapPath);
  const taskId = asRecorded('task_id', query.taskId);
  const hourAgo = now.getTime() - HOUR;
  const later = new Map<string, LaterFacts>();
  for (const record of recordsOf(lines, query.capability.name, wholeLog ? taskId : null, now)) {
    const lease = textAt(record, 'lease_id') ?? '';
    const event = textAt(record, 'event');
    const about = later.get(lease) ?? NOTHING_LATER;
    // An end that was tried in vain is none.
    const ended = event === 'lease_ended' && textAt(record, 'outcome') !== 'revoke_failed';
    if (ended) later.set(lease, { ...about, ended });
    const count = counts.get(textAt(record, 'rule') ?? '');
    if (count === undefined || textAt(record, 'map_path') !== mapPath) continue;
    if (event === 'closed') {
      later.set(lease, { ...about, ended: true, notIssued: textAt(record, 'outcome') === 'not_issued' });
    } else if (event === 'issued') {
      later.set(lease, { ...about, notIssued: false, expiresAt: timeAt(record, 'expires_at') });
    } else if (event === 'granted') {
      later.delete(lease);
      if (about.notIssued) continue;
      // Written so that a time that is none counts.
      if (!(timeAt(record, 'timestamp') <= hourAgo)) count.lastHour++;
      if (textAt(record, 'task_id') === taskId) count.forTask++;
      const over = Math.max(timeAt(record, 'deadline'), about.expiresAt) <= now.getTime();
      if (!about.ended && !over) count.open++;
    }
  }
  return rules.map(({ at, limits }) => {
    const { lastHour = null, forTask = null, open = null } = counts.get(at) ?? {};
    return {
      rule: at,
      lastHour: limits?.perHour == null ? null : lastHour,
      forTask: limits?.perTask == null ? null : forTask,
      open: limits?.open == null ? null : open,
    };
  });
}

/** What the records behind a `granted` say of its lease. */
interface LaterFacts {
  readonly ended: boolean;
  readonly notIssued: boolean;
  /** Milliseconds; minus infinity where no credential is recorded. */
  readonly expiresAt: number;
}

const NOTHING_LATER: LaterFacts = { ended: false, notIssued: false, expiresAt: Number.NEGATIVE_INFINITY };

const HOUR = 3_600_000;

/**
 * No lease lives longer than half a day, so nothing before this matters to an hour or to what is open; the rest is for
 * a clock that was wrong in between by up to a day.
 */
const LOOK_BACK = 48 * HOUR;

/** The records that may matter: told by their bytes first, since parsing a line takes far longer. */
function* recordsOf(
  lines: Iterable<LogLine>,
  capability: string,
  task: string | null,
  now: Date,
): Generator<StoredRecord> {
  const rule = Buffer.from(`"rule":"capabilities.${capability}.rules[`);
  const ofTask = Buffer.from(`"task_id":${toJson(task)}`);
  const oldest = new Date(now.getTime() - LOOK_BACK).toISOString();
  let old = false;
  for (const { bytes, ended } of lines) {
    if (!ended) continue;
    const [, time = oldest, event] = START.exec(bytes.toString('latin1', 0, 80)) ?? [];
    old ||= time < oldest;
    if (old && task === null) return;
    if (event !== undefined && !COUNTED.includes(event)) continue;
    const ofRule = event !== 'lease_ended' && bytes.includes(rule) && (!old || bytes.includes(ofTask));
    if (!ofRule && event !== 'lease_ended') continue;
    const record = parseRecord(bytes);
    if (record !== null) yield record;
    else if (ofRule) throw damaged(capability);
  }
}

const COUNTED = ['granted', 'issued', 'closed', 'lease_ended'];

/** Each record begins with its time, in a form that sorts as text. A line that doesn't isn't known to be old. */
const START = /^\{"timestamp":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)","event":"([a-z_]+)"/;

/** Milliseconds; NaN where there is no time. */
function timeAt(record: StoredRecord, name: string): number {
  return Date.parse(textAt(record, name) ?? '');
}

function damaged(capability: string): CapwrapError {
  return new CapwrapError(
    'ERR_AUDIT_UNSAFE',
    `"${capability}" is named by a line of the audit log that is no record`,
    {
      hint: 'capwrap audit verify',
    },
  );
}
