/** An error that nobody foresaw, where nobody catches it. */

/**
 * Has such an error reported by `fail`, and ends the process. Where somebody handles a request to end (a run, a server), it is
 * made first, so that the child, the lease and the record get their ends; what takes too long for that is cut off.
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

/** Longer than the child's time to end (10 s unless it is told) and the lease's (20 s). */
const LONGEST_END_MS = 40_000;
