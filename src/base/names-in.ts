/** What is in a folder, where it doesn't matter whether there is one. */
import { readdirSync } from 'node:fs';

/** The names in a folder; none where it isn't there or can't be read. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
