/** Who asked for what, in which map, from where. */
import { shellQuote } from '../../base/shell-quote.ts';
import { numberAt, type StoredRecord, textAt, textsAt, valueAt } from '../record/stored-record.ts';
import { told } from './story-words.ts';

/** Label and text of each line. */
export function saySubject(record: StoredRecord): [string, string][] {
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
