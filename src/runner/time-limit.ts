/** Watches the end of the grant's time. */

export interface TimeLimit {
  stop(): void;
}

/**
 * Calls `onWarning` ahead of the deadline, once, with the milliseconds that are left, and `onEnd` at it. The wall clock
 * counts: it also runs while the machine is suspended, and it is what the issuer goes by.
 */
export function watchTimeLimit(
  deadline: Date,
  onWarning: (leftMs: number) => void,
  onEnd: () => void,
): TimeLimit {
  const warningAt = deadline.getTime() - warningMs(deadline.getTime() - Date.now());
  let warned = false;
  let timer: NodeJS.Timeout;

  function check(): void {
    const now = Date.now();
    const left = deadline.getTime() - now;
    if (left <= 0) {
      onEnd();
      return;
    }
    if (!warned && now >= warningAt) {
      warned = true;
      onWarning(left);
    }
    const next = warned ? left : Math.min(left, warningAt - now);
    timer = setTimeout(check, Math.min(next, LONGEST_SLEEP_MS));
  }
  check();
  return { stop: () => clearTimeout(timer) };
}

/** A minute ahead of a long grant, a tenth of a short one; none where there is no time to do anything about it. */
function warningMs(grantMs: number): number {
  const ahead = Math.min(60_000, grantMs / 10);
  return ahead < SHORTEST_WARNING_MS ? 0 : ahead;
}

const SHORTEST_WARNING_MS = 1000;
/** Timers stand still while the machine is suspended, and the clock can be set: look again this often. */
const LONGEST_SLEEP_MS = 1000;
