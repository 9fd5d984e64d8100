/** Removes a folder that a child has written to. */
import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Removes `path` and all below it, folders without write permission included (Go's module cache makes such). Never
 * follows a symbolic link. Answers false where something could not be removed; never throws.
 */
export function removeTree(path: string): boolean {
  try {
    rmSync(path, { recursive: true, force: true });
    return true;
  } catch {
    // a folder in there may lack the permissions that removing its entries takes
  }
  try {
    makeFoldersWritable(path);
    rmSync(path, { recursive: true, force: true });
    return true;
  } catch {
    return false;
  }
}

function makeFoldersWritable(path: string): void {
  if (!lstatSync(path).isDirectory()) return;
  chmodSync(path, 0o700);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) makeFoldersWritable(join(path, entry.name));
  }
}
