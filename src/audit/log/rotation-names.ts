/** The name under which a new file waits until a rotation gives it that of the log. */
import { lstatSync } from 'node:fs';

export function nextPath(path: string): string {
  return `${path}.next`;
}

/** True where a log without its current file is one that a rotation, or a crash in it, has left between its two renames. */
export function isBetweenRenames(path: string): boolean {
  return lstatSync(nextPath(path), { throwIfNoEntry: false }) !== undefined;
}
