/**
 * A lock between processes that survives crashes. Node has no flock(2), so the lock is a file: a symbolic link whose
 * target is the holder, which symlink(2) creates whole, durably named, or not at all. The link leads nowhere and is
 * never followed.
 *
 * A lock whose holder is certainly gone is broken. The right to break instance N belongs to whoever creates
 * `<lock>.break.<nonce of N>`, itself such a link; that process alone may remove the lock, and only while N still
 * stands there. So two who found the same dead holder can't remove each other's fresh lock. If the breaker dies too,
 * its mark is broken in the same way, by the mark's own nonce.
 */
import { readdirSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CapwrapError, systemErrorCode } from '../errors.ts';
import { crowded, heldBy } from './lock-fault.ts';
import { formatHolder, type Holder, isDead, newHolder, parseHolder } from './lock-holder.ts';
import { shellQuote } from './shell-quote.ts';
import { asWriteFault } from './write-fault.ts';

export interface LockOptions {
  /** How long to wait for any one holder, in milliseconds; 10,000 where it isn't given. */
  readonly timeoutMs?: number;
  /** Ends the wait, as if the time were over. */
  readonly signal?: AbortSignal;
}

/**
 * Runs `action` while no other process runs one under the same lock, and no other call of this process does. Its
 * folder must exist and be private. Throws ERR_AUDIT_LOCKED when one holder keeps the lock for too long, or many in turn
 * for `TURNS` times as long, ERR_AUDIT_WRITE when it can't be created, ERR_AUDIT_UNSAFE when something else has its name. Uncontended it costs less than 0.1 ms.
 */
export async function withLock<T>(
  lockPath: string,
  action: () => T | Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const held = formatHolder(newHolder());
  await take(lockPath, held, options.timeoutMs ?? 10_000, options.signal);
  try {
    return await action();
  } finally {
    release(lockPath, held);
  }
}

async function take(path: string, mine: string, timeoutMs: number, signal?: AbortSignal): Promise<void> {
  const start = performance.now();
  let seen = { holder: '', since: start };
  for (let pause = 1; ; pause = Math.min(pause * 1.5, 20)) {
    if (create(path, mine)) return;
    const other = read(path);
    if (other === mine) return; // a network file system repeated a request that had succeeded
    if (other === null || breakIfDead(path, other)) continue;
    const now = performance.now();
    if (other !== seen.holder) seen = { holder: other, since: now };
    if (signal?.aborted || now - seen.since > timeoutMs) throw heldBy(path, other, now - seen.since);
    // A lock that goes from hand to hand isn't stuck: under load, a run waits its turn.
    if (now - start > TURNS * timeoutMs) throw crowded(path, now - start);
    await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
  }
}

const TURNS = 6;

/** A lock that can't be removed must not hide what the action did; others break it once this process has ended. */
function release(path: string, held: string): void {
  try {
    remove(path, held);
  } catch {
    // said by the next call that meets the same fault
  }
}

/** Removes the lock where its holder `other` is gone. False where it still stands for all that is known. */
function breakIfDead(path: string, other: string): boolean {
  const holder = parseHolder(other);
  if (!holder || !isDead(holder, dirname(path))) return false;
  const broken = breakInstance(path, path, other, holder);
  if (broken) sweepMarks(path);
  return broken;
}

/** `path` is the lock or a mark of somebody who was breaking it. */
function breakInstance(lockPath: string, path: string, other: string, dead: Holder): boolean {
  const mark = `${lockPath}.break.${dead.nonce}`;
  const mine = formatHolder(newHolder());
  if (!create(mark, mine)) {
    const breaker = read(mark);
    const holder = breaker === null ? null : parseHolder(breaker);
    if (breaker !== null && holder && isDead(holder, dirname(lockPath)))
      breakInstance(lockPath, mark, breaker, holder);
    return false;
  }
  try {
    return remove(path, other);
  } finally {
    remove(mark, mine);
  }
}

/** A breaker that died between removing the lock and its own mark left the mark behind. */
function sweepMarks(lockPath: string): void {
  const folder = dirname(lockPath);
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(`${basename(lockPath)}.break.`)) continue;
    const mark = join(folder, name);
    const other = read(mark);
    const holder = other === null ? null : parseHolder(other);
    if (other !== null && holder && isDead(holder, folder)) breakInstance(lockPath, mark, other, holder);
  }
}

/** True when the link was created, false when the name is taken. */
function create(path: string, target: string): boolean {
  try {
    symlinkSync(target, path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw asWriteFault(path, error);
  }
}

/** Null where there is no such link (any more). */
function read(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return null;
    if (code === 'EINVAL') {
      throw new CapwrapError('ERR_AUDIT_UNSAFE', `"${path}" is in the way: locks are symbolic links`, {
        hint: `look at what it is, then: rm ${shellQuote(path)}`,
      });
    }
    throw asWriteFault(path, error);
  }
}

/** Removes the link while it is still that instance; only its holder and the one breaker may ask for it. */
function remove(path: string, target: string): boolean {
  if (read(path) !== target) return false;
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    throw asWriteFault(path, error);
  }
}
