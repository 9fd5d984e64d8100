/** Checks the chain of a log that may be in use: what passes while it is written, repaired or rotated is no damage. */
import { lstatSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LogBook, withBook } from './book.ts';
import { type OnRecord, type Verification, verifyBook, WITHOUT_FILE } from './verify-book.ts';

/** What the chain can't show by itself; said each time, so that nobody takes the answer for more than it is. */
export const CHAIN_LIMIT =
  'a chain alone cannot show that records were cut from its end or that the whole log was written anew: keep heads elsewhere (capwrap audit anchor) and compare (--anchor)';

/**
 * Reads the whole log once, in bounded memory. The chain alone can't show that records were cut from the end, nor
 * that the whole log was written anew: for that, `head` must be held against one that was kept elsewhere.
 * `each` is told of every good record, and of all of them again where the log has to be read again.
 */
export async function verifyLog(path: string, each: OnRecord = () => undefined): Promise<Verification> {
  for (let look = 1; ; look++) {
    const before = stateOf(path);
    const looked = await withBook(path, (book) => ({
      found: verifyBook(book, each),
      begin: beginOf(book),
    }));
    if (looked === null) return WITHOUT_FILE;
    const { found, begin } = looked;
    const isRetiring = begin !== (await withBook(path, beginOf));
    const most = isRetiring ? MOST_LOOKS : isPassing(path, found, before) ? 3 : 1;
    if (found.ok || look >= most) return found;
    await sleep(Math.min(20 * look, 500));
  }
}

/** So that a log from whose front something goes on taking archives is answered for, too. */
const MOST_LOOKS = 100;

/** Where another look may find the log whole: a line that is being written or set aside just now, or a rotation. */
function isPassing(path: string, { torn, firstBad, currentMissing }: Verification, before: string): boolean {
  const isAtWork = firstBad?.file === basename(path) && stateOf(path) !== before;
  return torn !== null || currentMissing || isAtWork;
}

/** Another one later on means that somebody wrote to the current file. */
function stateOf(path: string): string {
  try {
    const { ino, size, mtimeNs } = lstatSync(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch {
    return ''; // whoever opens it says why
  }
}

/** Another one later on means that retention took archives meanwhile, from under the reader. */
function beginOf({ archives }: LogBook): string | null {
  return archives[0]?.name.replace(/\.gz$/, '') ?? null;
}
