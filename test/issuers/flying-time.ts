/** Time limits and pauses in a hurry: the timers run ahead, sockets and servers do not. */
import { vi } from 'vitest';
import { pause } from './kit.ts';

/** Nothing that a provider does may take longer, whatever happens. */
const LIMIT_MS = 120_000;

/**
 * Runs `action` while the timers of this process run ten times as fast as the clock, and far faster as long as a
 * request hangs. Returns how it ended, and how many milliseconds it took by those timers.
 */
export async function whileTimeFlies<T>(
  action: () => Promise<T>,
  hanging: () => number,
): Promise<{ readonly end: PromiseSettledResult<T>; readonly ms: number }> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    let ms = 0;
    let over = false;
    const running = Promise.allSettled([action()]).finally(() => {
      over = true;
    });
    while (!over) {
      if (ms > LIMIT_MS) throw new Error(`no end within ${LIMIT_MS / 1000} s`);
      await pause(10); // each look costs more than what it waits for
      const step = hanging() > 0 ? 1250 : 100;
      await vi.advanceTimersByTimeAsync(step);
      ms += step;
    }
    const [end] = await running;
    return { end, ms };
  } finally {
    vi.useRealTimers();
  }
}
