/** One lease's story in plain words. Values come from the file as they are: the printing edge escapes each line. */
import { formatDuration } from '../../base/duration.ts';
import {
  joinRecords,
  numberAt,
  type StoredRecord,
  textAt,
  textsAt,
  valueAt,
} from '../record/stored-record.ts';
import { APPROVAL_SAYINGS } from './story-approvals.ts';
import { sayChild, sayEnd, sayOrphan, sayTerminal } from './story-ends.ts';
import { sayReconciled } from './story-reconciled.ts';
import { saySubject } from './story-subject.ts';
import { timesTeller } from './story-times.ts';
import { by, grade, label, named, type Saying, told } from './story-words.ts';

export interface Story {
  /** Who asked for what: label and text. */
  readonly subject: readonly (readonly [label: string, text: string])[];
  /** What happened, in order. */
  readonly steps: readonly StoryStep[];
  /** True where no end is recorded although a grant is. */
  readonly unfinished: boolean;
}

export interface StoryStep {
  readonly timestamp: string;
  readonly event: string;
  /** One sentence each. */
  readonly said: readonly string[];
}

/** Tells the records of one lease, first to last. `now` decides whether a credential has expired by now. */
export function tellStory(records: readonly StoredRecord[], now: Date): Story {
  // Of the run itself: who ended or judged it from elsewhere has another host, process and version.
  const own = records.filter((record) => !AFTERWARDS.has(textAt(record, 'event') ?? ''));
  const whole = joinRecords(own.length > 0 ? own : records);
  const events = records.map((record) => textAt(record, 'event') ?? '');
  const unfinished =
    events.includes('granted') && !events.some((event) => event === 'closed' || event === 'lease_ended');
  const sayTimes = timesTeller();
  const steps = records.map((record) => ({
    timestamp: textAt(record, 'timestamp') ?? '',
    event: textAt(record, 'event') ?? '',
    said: [...sayEvent(record), ...sayTimes(record), ...sayOtherLease(record, records)],
  }));
  return {
    subject: saySubject(whole),
    steps: unfinished
      ? [...steps, { timestamp: '', event: 'unfinished', said: sayUnfinished(whole, now) }]
      : steps,
    unfinished,
  };
}

const AFTERWARDS = new Set(['lease_ended', 'reconciled']);

/** Of an approval that another run had asked for. */
function sayOtherLease(record: StoredRecord, records: readonly StoredRecord[]): string[] {
  const lease = textAt(record, 'lease_id');
  const own = textAt(records.at(-1) ?? {}, 'lease_id');
  return lease === own || lease === undefined ? [] : [`by the run of lease ${lease}`];
}

function sayEvent(record: StoredRecord): string[] {
  const event = textAt(record, 'event') ?? '';
  const said = Object.hasOwn(SAYINGS, event) ? (SAYINGS[event]?.(record) ?? []) : [];
  return said.filter((sentence): sentence is string => Boolean(sentence));
}

const SAYINGS: Readonly<Record<string, Saying>> = {
  denied: (record) => [
    `denied: ${textAt(record, 'reason') ?? 'no reason recorded'}${by(textAt(record, 'rule'))}`,
    'no credential was issued',
  ],
  ...APPROVAL_SAYINGS,
  granted: (record) => {
    const [ttl, asked] = [numberAt(record, 'ttl_seconds'), numberAt(record, 'ttl_requested')];
    const shortened = asked !== undefined && asked !== ttl ? ` (asked for ${formatDuration(asked)})` : '';
    return [
      `allowed${by(textAt(record, 'rule'))} for ${ttl === undefined ? 'a time not recorded' : formatDuration(ttl)}${shortened}`,
      textAt(record, 'approval') === 'granted'
        ? `with approval${named(textAt(record, 'approval_id'))}${by(textAt(record, 'approver'))}${grade(record)}`
        : 'no approval was needed',
      label('capwrap ends it by', textAt(record, 'deadline')),
    ];
  },
  issued: (record) => [
    `${textAt(record, 'provider') ?? 'the provider'} issued a credential that expires at ${textAt(record, 'expires_at') ?? 'a time not recorded'}`,
    label('it speaks as', textAt(record, 'principal')),
    label('access key id', textAt(record, 'access_key_id')),
    label('session name', textAt(record, 'session_name')),
    label('token id', textAt(record, 'jti')),
    label('token hash', textAt(record, 'hashed_token')),
    label('obtained with', textAt(record, 'source')),
    label('handed over beside variables', textsAt(record, 'delivery')?.join(', ')),
    ...sayTerminal(record),
    valueAt(record, 'long_lived_source') === true
      ? 'the proof was a key without an expiry, which the map allows'
      : '',
    valueAt(record, 'second_process') === true
      ? 'a program of the map was started for it, beside the command'
      : '',
  ],
  closed: (record) => [
    ...sayChild(record),
    ...sayEnd(record),
    ...['stdout', 'stderr'].map((stream) => {
      const count = numberAt(record, 'masked', stream) ?? 0;
      return count > 0 ? `secret values masked in ${stream}: ${count}` : '';
    }),
    label('too short to be masked', textsAt(record, 'unmasked')?.join(', ')),
    label(
      'error',
      textAt(record, 'error', 'code') &&
        `${textAt(record, 'error', 'code')}: ${told(textAt(record, 'error', 'message'))}`,
    ),
  ],
  lease_ended: (record) => [...sayOrphan(record), ...sayEnd(record)],
  reconciled: sayReconciled,
};

function sayUnfinished(record: StoredRecord, now: Date): string[] {
  const open = 'no end is recorded: the run is still going, or capwrap was killed';
  const at = textAt(record, 'expires_at');
  if (at === undefined) return [open, 'no credential is recorded either; one may have been issued just then'];
  return [
    open,
    Date.parse(at) <= now.getTime()
      ? `the credential expired at ${at}`
      : `the credential is valid until ${at}`,
  ];
}
