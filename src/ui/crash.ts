/** An error that nobody foresaw, where nobody catches it. */

/**
 * Has such an error reported by `fail`, and ends the process. Where somebody handles a request to end (a run, a server), it is
 * made first, so that the lease and the record get their ends; the child is being ended by then (run-child.ts). What takes
 * too long for that is cut off.
 */
export function endAtCrash(fail: (error: unknown) => void): void {
  process.once('uncaughtException', (error) => {
    fail(error);
    if (process.listenerCount('SIGTERM') === 0) process.exit();
    // More of them are no news.
    process.on('uncaughtException', () => undefined);
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.exit(), LONGEST_END_MS).unref();
  });
}

/** Longer than the child may take to end (`kill_after`, 5 minutes at most) and the lease (20 s). */
const LONGEST_END_MS = 6 * 60_000;
