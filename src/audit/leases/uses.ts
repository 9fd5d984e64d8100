/**
 * The uses of rules that records of the log tell of, gathered from its end: what a count needs, without the moment in which
 * it is made. So a look at the log that was made before serves again, with what has been appended since.
 *
 * A use is a `granted` record of the rule. A rule is known by its map and its place there, which names the capability; the
 * record's own `capability` went through the masker, where the caller has a say.
 */
import { toJson } from '../../base/escape.ts';
import { CapwrapError } from '../../errors.ts';
import type { Capability } from '../../policy/capability.ts';
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

export interface Use {
  readonly lease: string;
  readonly rule: string;
  readonly ofTask: boolean;
  /** Milliseconds, as the next; NaN where there is no time. */
  readonly grantedAt: number;
  readonly deadline: number;
  readonly later: LaterFacts;
}

/** What the records behind a `granted` say of its lease; absent where none does. */
export interface LaterFacts {
  readonly ended?: true;
  readonly notIssued?: boolean;
  /** Milliseconds. */
  readonly expiresAt?: number;
}

export interface Gathered {
  /** Last granted first. */
  readonly uses: readonly Use[];
  /** Of leases whose grant is not among the lines, by lease. */
  readonly later: ReadonlyMap<string, LaterFacts>;
  /** True where a line was met from which on only uses of the task count, or none. */
  readonly old: boolean;
}

/**
 * Takes the lines of a log, last first, and no more than it needs: of the two days before `now`, or all where a rule has
 * `per_task`. Throws ERR_AUDIT_UNSAFE where a line that names a rule of the capability is no record. A line without an end is
 * none yet: nothing was issued on it.
 */
export function gatherUses(lines: Iterable<LogLine>, query: UsageQuery, now: Date): Gathered {
  const limited = query.capability.rules.filter(({ limits }) => limits !== null);
  const rules = new Set(limited.map(({ at }) => at));
  const wholeLog = limited.some(({ limits }) => limits?.perTask != null);
  const mapPath = asRecorded('map_path', query.mapPath);
  const taskId = asRecorded('task_id', query.taskId);
  const age = { old: false };
  const uses: Use[] = [];
  const later = new Map<string, LaterFacts>();
  for (const record of recordsOf(lines, query.capability.name, wholeLog ? taskId : null, now, age)) {
    const lease = textAt(record, 'lease_id') ?? '';
    const event = textAt(record, 'event');
    const about = later.get(lease) ?? {};
    // An end that was tried in vain is none.
    if (event === 'lease_ended' && textAt(record, 'outcome') !== 'revoke_failed')
      later.set(lease, { ...about, ended: true });
    const rule = textAt(record, 'rule') ?? '';
    if (!rules.has(rule) || textAt(record, 'map_path') !== mapPath) continue;
    if (event === 'closed') {
      later.set(lease, { ...about, ended: true, notIssued: textAt(record, 'outcome') === 'not_issued' });
    } else if (event === 'issued') {
      later.set(lease, { ...about, notIssued: false, expiresAt: timeAt(record, 'expires_at') });
    } else if (event === 'granted') {
      later.delete(lease);
      const [grantedAt, deadline] = [timeAt(record, 'timestamp'), timeAt(record, 'deadline')];
      const ofTask = textAt(record, 'task_id') === taskId;
      uses.push({ lease, rule, ofTask, grantedAt, deadline, later: about });
    }
  }
  return { uses, later, old: age.old };
}

/** As if both had been gathered at once: what newer lines say of older leases is taken over, and what older ones say counts. */
export function withOlder({ uses, later }: Gathered, older: readonly Use[]): readonly Use[] {
  const about = new Map(later);
  const changed = older.map((use) => {
    const more = about.get(use.lease);
    about.delete(use.lease);
    return more === undefined ? use : { ...use, later: { ...more, ...use.later } };
  });
  return [...uses, ...changed];
}

/**
 * No lease lives longer than half a day, so nothing before this matters to an hour or to what is open; the rest is for
 * a clock that was wrong in between by up to a day.
 */
const LOOK_BACK = 48 * 3_600_000;

/** The records that may matter: told by their bytes first, since parsing a line takes far longer. */
function* recordsOf(
  lines: Iterable<LogLine>,
  capability: string,
  task: string | null,
  now: Date,
  age: { old: boolean },
): Generator<StoredRecord> {
  const rule = Buffer.from(`"rule":"capabilities.${capability}.rules[`);
  const ofTask = Buffer.from(`"task_id":${toJson(task)}`);
  const oldest = new Date(now.getTime() - LOOK_BACK).toISOString();
  for (const { bytes, ended } of lines) {
    if (!ended) continue;
    const [, time = oldest, event] = START.exec(bytes.toString('latin1', 0, 80)) ?? [];
    age.old ||= time < oldest;
    if (age.old && task === null) return;
    if (event !== undefined && !COUNTED.includes(event)) continue;
    const ofRule = event !== 'lease_ended' && bytes.includes(rule) && (!age.old || bytes.includes(ofTask));
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
