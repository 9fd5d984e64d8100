/** One record, stamped and sealed onto the chain. */
import { hostname } from 'node:os';
import { VERSION } from '../../base/version.ts';
import { type Asides, buildRecord } from '../record/build-record.ts';
import type { AuditFields } from '../record/record.ts';
import { type ChainHead, sealRecord } from './chain.ts';
import { appendLine, type LogFile } from './log-file.ts';

/** Nothing to say. */
export const NO_ASIDES: Asides = { repairedMode: null, repairedDirMode: null, witnessError: null };

/** The line that follows `after`, as of now, and the head behind it. */
export function sealNow(
  fields: AuditFields,
  after: ChainHead,
  asides = NO_ASIDES,
): { readonly line: string; readonly head: ChainHead } {
  const stamp = {
    timestamp: new Date().toISOString(),
    host: hostname(),
    pid: process.pid,
    version: VERSION,
    ...asides,
  };
  return sealRecord(buildRecord(fields, stamp), after);
}

/** Appends the record behind `after` and gives the new head. */
export function writeRecord(
  log: LogFile,
  fields: AuditFields,
  after: ChainHead,
  asides = NO_ASIDES,
): ChainHead {
  const { line, head } = sealNow(fields, after, asides);
  appendLine(log, line);
  return head;
}
