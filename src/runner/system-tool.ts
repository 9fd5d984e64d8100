/** Programs of the system's own, by their usual places. */
import { readFileSync, statSync } from 'node:fs';

/** Those that are looked into are far smaller; BusyBox's versions lack the options. */
const LARGEST_TOOL = 1024 * 1024;

/**
 * The first of these programs that is the system's own (root's, writable by nobody else) and, where one is asked for,
 * knows the option: older ones don't, and to ask one by starting it would take a process. Null where there is none.
 */
export function systemTool(paths: readonly string[], option?: string): string | null {
  for (const path of paths) {
    try {
      const { uid, mode, size } = statSync(path);
      if (uid !== 0 || (mode & 0o022) !== 0) continue;
      if (option === undefined || (size <= LARGEST_TOOL && readFileSync(path).includes(option))) return path;
    } catch {
      // not there
    }
  }
  return null;
}
