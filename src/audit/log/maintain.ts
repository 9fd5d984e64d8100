/** What is done to a log beside appending: rotation when asked for, compressing archives, and removing those that are old. */
import { closeSync, lstatSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withLock } from '../../base/lock.ts';
import { syncDir } from '../../base/private-files.ts';
import { asWriteFault } from '../../base/write-fault.ts';
import { openLeases } from '../leases/open-leases.ts';
import type { AuditLog } from '../record/record.ts';
import { numberAt, parseRecord, textAt } from '../record/stored-record.ts';
import { type Archive, listArchives, withArchive } from './archives.ts';
import { withBook } from './book.ts';
import { readLink } from './chain.ts';
import { readLinesBackwards } from './lines.ts';
import { openLogFile } from './log-file.ts';
import { repair } from './repair.ts';
import { finishRotation, type RotateRules, rotateIfDue } from './rotate.ts';

interface Place {
  readonly stateDir: string;
  readonly uid: number;
}

/** Rotates the log at `path` where `rules` say so, and gives the new archive's name. Null where nothing was due, or where there is no log. */
export function rotateLog(path: string, place: Place, rules: RotateRules): Promise<string | null> {
  return withLock(`${path}.lock`, () => {
    finishRotation(path);
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return null;
    const log = openLogFile(path, place.uid);
    try {
      const rotated = rotateIfDue(log, repair(log, place, null), place.uid, rules);
      if (rotated === null) return null;
      closeSync(rotated.log.fd);
      return rotated.archive;
    } finally {
      closeSync(log.fd);
    }
  });
}

/** An archive that is old enough to go, or why it stays all the same. */
export interface Expired {
  readonly archive: Archive;
  /** Of its last record: what the rest of the log follows. */
  readonly hash: string;
  readonly bytes: number;
  readonly stays: string | null;
}

/**
 * Archives whose last record is older than `keep` seconds, oldest first. The log loses records from its front alone, so
 * behind one that stays all others do; one stays while a lease that was granted in it is open.
 */
export async function expiredArchives(path: string, keep: number, now: Date): Promise<readonly Expired[]> {
  const folder = dirname(path);
  const expired: Expired[] = [];
  const granted = ((await withBook(path, openLeases)) ?? []).map(
    (lease) => numberAt(lease.granted, 'seq') ?? 0,
  );
  for (const archive of listArchives(folder)) {
    const [line] = withArchive(folder, archive, readLinesBackwards);
    const link = line === undefined ? null : readLink(line.bytes);
    const time = Date.parse(textAt((line && parseRecord(line.bytes)) ?? {}, 'timestamp') ?? '');
    // Damage and a time that is none are for people to look at.
    if (link === null || !(time < now.getTime() - keep * 1000)) break;
    const { size: bytes } = lstatSync(join(folder, archive.name));
    const open = granted.filter((seq) => seq >= archive.first && seq <= archive.last).length;
    const stays = open === 0 ? null : `leases that were granted in it and are open: ${open}`;
    expired.push({ archive, hash: link.hash, bytes, stays });
    if (stays !== null) break;
  }
  return expired;
}

/** Records that an archive goes, durably, and then removes it: the chain's new beginning is vouched for by that record. */
export async function retireArchive(log: AuditLog, { archive, hash, bytes }: Expired): Promise<void> {
  const { name: file, first, last } = archive;
  await log.append({ event: 'retired', retired: { file, first, last, bytes, hash } }, { durable: true });
  const folder = dirname(log.path);
  const plain = join(folder, file.replace(/\.gz$/, ''));
  try {
    // A crash while it was being compressed left it there twice, or half of it beside it.
    for (const path of [`${plain}.gz.tmp`, `${plain}.gz`, plain]) rmSync(path, { force: true });
    syncDir(folder);
  } catch (error) {
    throw asWriteFault(plain, error);
  }
}
