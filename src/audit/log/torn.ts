/**
 * What a crash left of a last line is evidence: it is set aside in a file of its own, and a `recovered` record names
 * that file. Until the record is durable the file is called `audit.torn-<n>.pending`, so that a crash in the middle
 * of the repair is repaired too.
 */
import { createHash } from 'node:crypto';
import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { readPrivateFile, syncDir, writePrivateFile } from '../../base/private-files.ts';

export interface PendingFragment {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Keeps the fragment in a durable private file; one that an interrupted repair has kept already is not kept twice. */
export function setAside(stateDir: string, uid: number, fragment: Buffer): void {
  const names = tornFiles(stateDir);
  const kept = names.some(
    ({ name, pending }) => pending && readPrivateFile(join(stateDir, name), uid)?.equals(fragment),
  );
  if (kept) return;
  const next = Math.max(0, ...names.map(({ number }) => number)) + 1;
  writePrivateFile(join(stateDir, `audit.torn-${next}${PENDING}`), fragment);
}

/** Fragments that no record names yet, oldest first. */
export function pendingFragments(stateDir: string, uid: number): PendingFragment[] {
  return tornFiles(stateDir)
    .filter(({ pending }) => pending)
    .sort((a, b) => a.number - b.number)
    .flatMap(({ name }) => {
      const content = readPrivateFile(join(stateDir, name), uid);
      if (content === null) return [];
      const sha256 = createHash('sha256').update(content).digest('hex');
      return [{ file: name.slice(0, -PENDING.length), bytes: content.length, sha256 }];
    });
}

/** Called once the `recovered` record is durable. */
export function settleFragment(stateDir: string, fragment: PendingFragment): void {
  renameSync(join(stateDir, fragment.file + PENDING), join(stateDir, fragment.file));
  syncDir(stateDir);
}

const PENDING = '.pending';

function tornFiles(
  stateDir: string,
): { readonly name: string; readonly number: number; readonly pending: boolean }[] {
  return readdirSync(stateDir).flatMap((name) => {
    const match = /^audit\.torn-(\d{1,9})(\.pending)?$/.exec(name);
    return match ? [{ name, number: Number(match[1]), pending: match[2] !== undefined }] : [];
  });
}
