/** What a story says of approvals. */
import { shellQuote } from '../../base/shell-quote.ts';
import { numberAt, type StoredRecord, textAt, textsAt } from '../record/stored-record.ts';
import { by, grade, label, named, type Saying } from './story-words.ts';

export const APPROVAL_SAYINGS: Readonly<Record<string, Saying>> = {
  approval_requested: (record) => [
    `an approval was asked for${named(textAt(record, 'approval_id'))}`,
    label('asked through', textsAt(record, 'asked_through')?.map(shellQuote).join(' ')),
  ],
  approval_given: (record) => [
    `approved${by(textAt(record, 'approver'))}${grade(record)}`,
    label('with key', textAt(record, 'approver_key')),
    sayPermission(record),
  ],
  approval_denied: (record) => [
    `not approved${by(textAt(record, 'approver'))}${grade(record)}`,
    label('reason', textAt(record, 'reason')),
    label('said', textAt(record, 'said')),
  ],
};

function sayPermission(record: StoredRecord): string | undefined {
  const [uses, until] = [numberAt(record, 'approval_uses'), textAt(record, 'approval_until')];
  if (uses === undefined || until === undefined) return undefined;
  return `it permits ${uses === 1 ? 'one run' : `${uses} runs`} until ${until}`;
}
