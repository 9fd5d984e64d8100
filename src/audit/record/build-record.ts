/**
 * Builds a record from the allowlist of its fields, by name and by type. There is no way to write a field that isn't
 * on the list, so a lease's values have none to go to.
 */

import { type Cut, shape, text } from './field-rules.ts';
import type { AuditFields } from './record.ts';
import { FIELDS } from './record-fields.ts';

/** What the log adds to each record. */
export interface RecordStamp {
  readonly timestamp: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
}

/** What befell the log since the record before, and is said in the next one. */
export interface Asides {
  /** The mode of the log file, in octal, where it was too loose and has just been tightened. */
  readonly repairedMode: string | null;
  /** The same of the state directory. */
  readonly repairedDirMode: string | null;
  /** Why a witness hasn't got the head of a record that this process wrote. */
  readonly witnessError: string | null;
}

/**
 * The record as it will be written, `seq`, `prev` and `hash` apart: keys in the order of the list, values bounded so
 * that a line stays under 64 KiB. Throws ERR_INTERNAL for a field that isn't on the list or has another type.
 */
export function buildRecord(
  fields: AuditFields,
  stamp: RecordStamp & Partial<Asides>,
): Readonly<Record<string, unknown>> {
  const cuts: Record<string, Cut> = {};
  const built = shape(FIELDS)(fields, '', cuts) as Readonly<Record<string, unknown>>;
  return {
    timestamp: stamp.timestamp,
    ...built,
    ...(Object.keys(cuts).length > 0 ? { cut: cuts } : {}),
    ...(stamp.repairedMode ? { repaired_mode: stamp.repairedMode } : {}),
    ...(stamp.repairedDirMode ? { repaired_dir_mode: stamp.repairedDirMode } : {}),
    ...(stamp.witnessError ? { witness_error: text(512)(stamp.witnessError, 'witness_error', {}) } : {}),
    host: stamp.host.slice(0, 255),
    pid: stamp.pid,
    version: stamp.version,
  };
}

/** A text as the field would hold it, bounded, for comparing with what is read back. */
export function asRecorded(field: 'map_path' | 'task_id', value: string): string {
  return FIELDS[field](value, field, {}) as string;
}

/** Every name that a record can have at its top level, in the order in which it is written. */
export const RECORD_FIELDS: readonly string[] = [
  'timestamp',
  ...Object.keys(FIELDS),
  'cut',
  'repaired_mode',
  'repaired_dir_mode',
  'witness_error',
  'host',
  'pid',
  'version',
  'seq',
  'prev',
  'hash',
];
