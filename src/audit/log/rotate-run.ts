/** When `capwrap audit rotate` came to its end last: a timer that has stopped is noticed by nothing else. */
import { join } from 'node:path';
import { toJson } from '../../base/escape.ts';
import { isExactTime } from '../../base/exact-time.ts';
import { readPrivateFile, writePrivateFile } from '../../base/private-files.ts';

/** Keeps the time; throws ERR_STATE_UNSAFE where it can't be written. */
export function noteRotateRun(stateDir: string, at: Date): void {
  writePrivateFile(pathIn(stateDir), `${toJson({ at: at.toISOString() })}\n`);
}

/** RFC 3339; null where none was kept. Throws ERR_STATE_UNSAFE for a file that others could have written. */
export function lastRotateRun(stateDir: string, uid: number): string | null {
  const bytes = readPrivateFile(pathIn(stateDir), uid, 4096);
  try {
    const { at } = JSON.parse(bytes?.toString() ?? '{}') as { readonly at?: unknown };
    return typeof at === 'string' && isExactTime(at) ? at : null;
  } catch {
    return null;
  }
}

function pathIn(stateDir: string): string {
  return join(stateDir, 'audit-rotate.json');
}
