/** What a story says of a verdict. */
import { numberAt, type StoredRecord, textAt, textsAt, valueAt } from '../record/stored-record.ts';
import { label, type Saying, told } from './story-words.ts';

const VERDICT_WORDS: Readonly<Record<string, string>> = {
  expired_without_reuse:
    'held against CloudTrail: the credential expired, and no use of it after the run was found',
  reuse_detected: 'held against CloudTrail: calls were made with the lease after its run',
  unverifiable: "held against CloudTrail: whether the lease was used after its run can't be told",
};

export const sayReconciled: Saying = (record) => {
  const verdict = textAt(record, 'verdict') ?? '';
  const list = (name: string, ...path: string[]) => label(name, textsAt(record, ...path)?.join(', '));
  return [
    Object.hasOwn(VERDICT_WORDS, verdict) ? VERDICT_WORDS[verdict] : label('verdict', verdict),
    valueAt(record, 'provisional') === true ? 'provisional: more events may still come' : undefined,
    list('open', 'reasons'),
    ...reuseOf(record),
    list('used outside its scope', 'actions', 'outside'),
    list('refused', 'actions', 'refused'),
    list('used', 'actions', 'used'),
    list('granted and never seen in what was searched', 'actions', 'never_seen'),
    list('granted, and not visible in what was searched', 'actions', 'not_visible'),
    list('events whose action is not told', 'actions', 'not_told'),
    list('stated by the operator', 'searched', 'stated'),
  ];
};

function reuseOf(record: StoredRecord): string[] {
  const reuse = valueAt(record, 'reuse');
  const events: readonly StoredRecord[] = Array.isArray(reuse) ? reuse : [];
  const listed = events.map((event) => {
    const error = textAt(event, 'error');
    const part = (name: string) => told(textAt(event, name));
    const how = error === undefined ? 'succeeded' : `failed with ${error}`;
    return `${part('time')} ${part('event')} ${how}, from ${part('address')}, event ${part('event_id')}`;
  });
  const more = (numberAt(record, 'reuse_seen') ?? 0) - listed.length;
  return more > 0 ? [...listed, `and ${more} more`] : listed;
}
