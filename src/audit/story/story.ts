/** One lease's story in plain words. Values come from the file as they are: the printing edge escapes each line. */
import { formatDuration } from '../../base/duration.ts';
import { shellQuote } from '../../base/shell-quote.ts';
import {
  joinRecords,
  numberAt,
  type StoredRecord,
  textAt,
  textsAt,
  valueAt,
} from '../record/stored-record.ts';
import { APPROVAL_SAYINGS } from './story-approvals.ts';
import { sayReconciled } from './story-reconciled.ts';
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

function saySubject(record: StoredRecord): [string, string][] {
  const fact = (label: string, name: string): [string, string | undefined] => {
    const source = textAt(record, 'facts', name, 'source');
    const from = textAt(record, 'facts', name, 'from');
    const known = source === undefined ? '' : ` (${source}${from === undefined ? '' : `: ${from}`})`;
    const value = textAt(record, name);
    return [label, value === undefined ? known && `unknown${known}` : `${value}${known}`];
  };
  const map = textAt(record, 'map_path');
  const lines: [string, string | undefined][] = [
    ['capability', textAt(record, 'capability')],
    fact('actor', 'actor'),
    ['task', textAt(record, 'task_id')],
    ['justification', textAt(record, 'justification')],
    fact('repo', 'repo'),
    fact('branch', 'branch'),
    fact('commit', 'commit'),
    fact('environment', 'environment'),
    ['command', textsAt(record, 'command')?.map(shellQuote).join(' ')],
    ['program', textAt(record, 'command_path')],
    ['directory', textAt(record, 'cwd')],
    [
      'map',
      map && `${map} (${told(textAt(record, 'map_trust'))}, sha256 ${told(textAt(record, 'map_sha256'))})`,
    ],
    ['scope', textsAt(record, 'scope')?.join(' ')],
    ['within lease', textAt(record, 'parent_lease_id')],
    [
      'ran on',
      `${told(textAt(record, 'host'))}, process ${told(numberAt(record, 'pid'))}, capwrap ${told(textAt(record, 'version'))}`,
    ],
    ['state moved', textAt(record, 'state_override')],
    ['not witnessed', textAt(record, 'witness_error')],
    ['cut', sayCuts(record)],
  ];
  return lines.filter((line): line is [string, string] => Boolean(line[1]));
}

/** Values that were too long for a record. */
function sayCuts(record: StoredRecord): string {
  const cut = valueAt(record, 'cut');
  const fields = cut !== null && typeof cut === 'object' ? Object.keys(cut) : [];
  return fields
    .map(
      (field) =>
        `${field} had ${told(numberAt(record, 'cut', field, 'bytes'))} bytes, sha256 ${told(textAt(record, 'cut', field, 'sha256'))}`,
    )
    .join('; ');
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

function sayChild(record: StoredRecord): string[] {
  if (valueAt(record, 'child') === undefined) return ['no child was started'];
  const signal = textAt(record, 'child', 'signal');
  const how =
    signal === undefined
      ? `exited ${told(numberAt(record, 'child', 'exit_code'))}`
      : `was ended by ${signal}`;
  const took = ((numberAt(record, 'child', 'duration_ms') ?? 0) / 1000).toFixed(1);
  // Records of the first version have only the flag.
  const flagged = valueAt(record, 'time_limit_reached') === true ? 'time_limit' : '';
  const reason = textAt(record, 'end_reason') ?? flagged;
  const why = Object.hasOwn(END_WORDS, reason) ? END_WORDS[reason] : '';
  return [`the child ${how} after ${took} s${why}`, ...sayTerminal(record)];
}

const END_WORDS: Readonly<Record<string, string>> = {
  time_limit: ', because its time was over',
  repeated_signal: ', because it was asked to end again and again',
  leak: ', because a secret was in its output',
  changed: ', because its code was changed after it was approved',
};

function sayTerminal(record: StoredRecord): string[] {
  return textAt(record, 'terminal') === 'direct'
    ? ['it had the real terminal: what it wrote there was not masked']
    : [];
}

/** Why another capwrap ended a lease. */
function sayOrphan(record: StoredRecord): (string | undefined)[] {
  const reasons: Readonly<Record<string, string>> = {
    wrapper_died: 'its run had died without ending it',
    asked: 'somebody asked for its end',
    no_issue_recorded: 'its run had died, no credential is recorded, and the time of any is over',
  };
  const reason = textAt(record, 'reason') ?? '';
  return [Object.hasOwn(reasons, reason) ? reasons[reason] : undefined];
}

function sayEnd(record: StoredRecord): (string | undefined)[] {
  const at = textAt(record, 'expires_at') ?? 'a time not recorded';
  const sentences: Readonly<Record<string, string>> = {
    revoked_verified: 'the credential was revoked, and a probe found it dead',
    revoked_unverified: 'the credential was revoked; that it is dead was not verified',
    revoke_failed: `the credential could not be revoked; it expires at ${at}`,
    expires: `the issuer can't revoke the credential; it expires at ${at}`,
    expired: `the credential had expired, at ${at}`,
    not_issued: 'no credential was issued',
  };
  const outcome = textAt(record, 'outcome') ?? '';
  return [
    Object.hasOwn(sentences, outcome) ? sentences[outcome] : label('outcome', outcome),
    label('at the issuer', textAt(record, 'revocation', 'end')),
    label('the probe saw', textAt(record, 'revocation', 'probe')),
    label('why ending it failed', textAt(record, 'revocation', 'error')),
  ];
}

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
