/** What is said when the log, or its lock, can't be written. */
import { dirname } from 'node:path';
import { CapwrapError, systemErrorCode } from '../errors.ts';
import { shellQuote } from './shell-quote.ts';

/** ERR_AUDIT_WRITE for a system error, with its code and the command that shows or removes the cause; a CapwrapError stays as it is. */
export function asWriteFault(path: string, error: unknown): CapwrapError {
  if (error instanceof CapwrapError) return error;
  const code = systemErrorCode(error) ?? 'unknown error';
  return new CapwrapError('ERR_AUDIT_WRITE', `"${path}" can't be written (${code})`, {
    hint: hintFor(code, shellQuote(dirname(path))),
    cause: error,
  });
}

function hintFor(code: string, folder: string): string {
  switch (code) {
    case 'ENOSPC':
      return `make room: df -h ${folder}; df -i ${folder}`;
    case 'EDQUOT':
      return `make room within the quota: quota -s; du -sh ${folder}`;
    case 'EROFS':
      return 'choose a folder that can be written: export CAPWRAP_HOME=/absolute/path';
    case 'ENOENT':
      return `mkdir -m 700 -p ${folder}`;
    default:
      return `ls -ld ${folder}; ls -l ${folder}`;
  }
}
