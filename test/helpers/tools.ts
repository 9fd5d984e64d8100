/** Programs that a machine may or may not have. A test that needs one is skipped with its name in the title. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The absolute path of a program on PATH, or null. */
export function findTool(name: string): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this folder
    }
  }
  return null;
}

/** ` (needs NAME)` for a title where the program is missing, else nothing. */
export function needs(...names: readonly string[]): string {
  const missing = names.filter((name) => findTool(name) === null);
  return missing.length === 0 ? '' : ` (skipped: needs ${missing.join(', ')})`;
}
