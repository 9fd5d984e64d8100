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

/** What the promise resolves to, or null after `ms` milliseconds. Keeps the process alive until then, and no longer. */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  const over = new AbortController();
  try {
    return await Promise.race([promise, abortableWait(ms, over.signal).then(() => null)]);
  } finally {
    over.abort();
  }
}
