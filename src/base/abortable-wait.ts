/** Waits with an end. */

/** A wait that can be cut short: resolves after `ms` milliseconds, or as soon as `signal` is aborted. Never rejects. */
export function abortableWait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}

/**
 * What `work` comes to; or what `late` answers after `ms` milliseconds, or as soon as `signal` is aborted: the signal that
 * `work` gets is aborted then, and whatever it still comes to is dropped. Where `signal` is aborted already, `work` isn't
 * begun. Rejects as `work` does.
 */
export async function inTime<T>(
  ms: number,
  work: (signal: AbortSignal) => Promise<T> | T,
  late: () => T,
  signal?: AbortSignal,
): Promise<T> {
  if (signal?.aborted) return late();
  const over = new AbortController();
  const abort = () => over.abort();
  const timer = setTimeout(abort, ms);
  signal?.addEventListener('abort', abort);
  const cutShort = new Promise<T>((resolve) => {
    over.signal.onabort = () => resolve(late());
  });
  try {
    return await Promise.race([cutShort, work(over.signal)]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** What the promise resolves to, or null after `ms` milliseconds. Keeps the process alive until then, and no longer. */
export function within<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  return inTime<T | null>(
    ms,
    () => promise,
    () => null,
  );
}
