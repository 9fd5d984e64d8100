/** What is left in the folder of compiled code by builds and runs that are gone. */
import { lstatSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

const DAY_MS = 24 * 3600 * 1000;

/** Names of the files there: of kept code, and of one that a run is writing (the end is its process id). */
const KINDS = [
  { name: /\.bin$/, olderThan: 30 * DAY_MS },
  { name: /\.bin\.\d+$/, olderThan: DAY_MS },
];

/**
 * Removes kept code that is a month old and parts that are a day old, but for the names `inUse`: a file that is read every
 * day is as old as the build. Other names, folders and links stay, and so does what can't be removed.
 */
export function sweepCompiledCode(folder: string, inUse: ReadonlySet<string>, now: number): void {
  for (const name of namesIn(folder)) {
    const kind = KINDS.find((one) => one.name.test(name));
    if (kind === undefined || inUse.has(name)) continue;
    try {
      const path = join(folder, name);
      const stat = lstatSync(path);
      if (stat.isFile() && now - stat.mtimeMs > kind.olderThan) unlinkSync(path);
    } catch {
      // another run was faster, or it can't be removed
    }
  }
}

/** Not shared with other code: what is loaded with this is compiled before kept code is used. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
