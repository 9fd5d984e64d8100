/**
 * The approval ledger: what was asked, denied, ended and used, a line each, in the order of writing. It is what keeps
 * an approval from being used twice, so a use is a line on the disk before anything is issued.
 *
 * A crash can cut the last line. What is left of it is closed by the next writer with a line that says so, and counts
 * as everything that it may have been: a doubtful use is a use.
 */
import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../base/lock.ts';
import { assertPrivate, readPrivateFile, syncDir, writeAll } from '../base/private-files.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { asWriteFault } from '../base/write-fault.ts';
import { CapwrapError } from '../errors.ts';
import { type Entry, entryLine, parseLedger, TORN_MARK, type Verb } from './ledger-lines.ts';

export interface Ledger {
  /** All entries, first to last. Throws ERR_STATE_UNSAFE where the file is not what capwrap wrote. */
  read(): readonly Entry[];
  /**
   * Appends what `decide` makes of the entries so far, and syncs it to the disk; no entry where that is null. One process
   * at a time decides, so two that race for the last use don't both get it.
   */
  append<T>(
    decide: (entries: readonly Entry[]) => { readonly entry: NewEntry | null; readonly result: T },
  ): Promise<T>;
}

export type NewEntry = Omit<Entry, 'at' | 'doubtful'> & { readonly verb: Verb };

const MAX_BYTES = 64 * 1024 * 1024;

/** The ledger in the folder of approvals, which exists and is private. */
export function openLedger(folder: string, uid: number): Ledger {
  const path = join(folder, 'ledger');
  const read = () => {
    const bytes = readPrivateFile(path, uid, MAX_BYTES);
    const parsed = parseLedger(bytes?.toString('utf8') ?? '');
    if (parsed.fault === null) return parsed;
    throw new CapwrapError(
      'ERR_STATE_UNSAFE',
      `"${path}" is damaged: line ${parsed.fault} is none that capwrap wrote`,
      {
        hint: `mv ${shellQuote(path)} ${shellQuote(`${path}.damaged`)}; what was asked for before then needs to be asked for again`,
      },
    );
  };
  return {
    read: () => read().entries,
    append: (decide) =>
      withLock(`${path}.lock`, () => {
        const { entries, torn } = read();
        const { entry, result } = decide(entries);
        const at = new Date().toISOString();
        const mark = torn ? `\n${TORN_MARK} ${at}\n` : '';
        const text = `${mark}${entry === null ? '' : entryLine({ ...entry, at })}`;
        if (text !== '') appendSynced(path, uid, text);
        return result;
      }),
  };
}

function appendSynced(path: string, uid: number, text: string): void {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
    try {
      const stat = fstatSync(fd);
      assertPrivate(path, stat, uid);
      writeOrTakeBack(fd, text, stat.size);
      fsyncSync(fd);
      if (stat.size === 0) syncDir(join(path, '..'));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw asWriteFault(path, error);
  }
}

/** A disk that takes only a part gets its old length back: the rest of a line would count as all that it may have been. */
function writeOrTakeBack(fd: number, text: string, size: number): void {
  try {
    writeAll(fd, Buffer.from(text));
  } catch (error) {
    try {
      ftruncateSync(fd, size);
    } catch {
      // the next append finds a cut line
    }
    throw error;
  }
}
