/** How a child and a lease ended. */
import { numberAt, type StoredRecord, textAt, valueAt } from '../record/stored-record.ts';
import { label, told } from './story-words.ts';

export function sayChild(record: StoredRecord): string[] {
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
  fault: ', because capwrap itself failed',
  leak: ', because a secret was in its output',
  changed: ', because its code was changed after it was approved',
};

export function sayTerminal(record: StoredRecord): string[] {
  return textAt(record, 'terminal') === 'direct'
    ? ['it had the real terminal: what it wrote there was not masked']
    : [];
}

/** Why another capwrap ended a lease. */
export function sayOrphan(record: StoredRecord): (string | undefined)[] {
  const reasons: Readonly<Record<string, string>> = {
    wrapper_died: 'its run had died without ending it',
    asked: 'somebody asked for its end',
    no_issue_recorded: 'its run had died, no credential is recorded, and the time of any is over',
  };
  const reason = textAt(record, 'reason') ?? '';
  return [Object.hasOwn(reasons, reason) ? reasons[reason] : undefined];
}

export function sayEnd(record: StoredRecord): (string | undefined)[] {
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
