/** Ending a command that would go on. */

/** Milliseconds that a request which is under way gets to come to its end. */
const GRACE_MS = 5_000;

export interface Stops {
  /** Nothing new is to be begun. */
  readonly stop: AbortSignal;
  /** What was begun has had its time. */
  readonly cut: AbortSignal;
  readonly release: () => void;
}

/** At INT, TERM or the abort of `other`. The second signal is the system's again, and ends the process at once. */
export function stopOnSignals(other: AbortSignal | undefined, graceMs = GRACE_MS): Stops {
  const stop = new AbortController();
  const cut = new AbortController();
  let grace: NodeJS.Timeout | undefined;
  const release = () => {
    clearTimeout(grace);
    other?.removeEventListener('abort', onStop);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, onStop);
  };
  const onStop = () => {
    release();
    stop.abort();
    grace = setTimeout(() => cut.abort(), graceMs);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onStop);
  other?.addEventListener('abort', onStop);
  if (other?.aborted) onStop();
  return { stop: stop.signal, cut: cut.signal, release };
}
