/** What tells one log from another: the first 16 hex digits of its first record's hash. */
import { parseRecord, textAt } from '../record/stored-record.ts';
import { readLink } from './chain.ts';

export function isLogId(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{16}$/.test(value);
}

/** From the first line of any file of the log: record 1 itself, or the record of a rotation, which carries the id on. Null where neither tells it. */
export function logIdOfLine(line: Buffer): string | null {
  const link = readLink(line);
  if (link === null) return null;
  if (link.seq === 1) return link.hash.slice(0, 16);
  return textAt(parseRecord(line) ?? {}, 'rotated', 'log_id') ?? null;
}
