/** Logs whose first records have gone into archives. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { archiveName } from '../../src/audit/log/archives.ts';
import { writeLog } from './samples.ts';

/** How many records an archive takes, and whether it is compressed. */
export interface ArchiveSize {
  readonly records: number;
  readonly compressed: boolean;
}

/** Writes the lines of a whole log into archives of these sizes, and what is left into the current file; returns its path. */
export function writeArchivedLog(
  stateDir: string,
  lines: readonly string[],
  archives: readonly ArchiveSize[],
): string {
  let first = 0;
  for (const { records, compressed } of archives) {
    const taken = lines.slice(first, first + records);
    const text = Buffer.from(taken.map((line) => `${line}\n`).join(''));
    const path = join(stateDir, archiveName(first + 1, first + taken.length));
    if (compressed) writeFileSync(`${path}.gz`, gzipSync(text), { mode: 0o600 });
    else writeFileSync(path, text, { mode: 0o600 });
    first += taken.length;
  }
  return writeLog(stateDir, lines.slice(first));
}
