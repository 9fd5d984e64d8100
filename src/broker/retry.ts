/** Asking again, where it is certain that the first request had no effect. */
import { abortableWait } from '../base/abortable-wait.ts';
import { ExchangeError } from './exchange-error.ts';
import type { JsonAnswer } from './json-exchange.ts';
import type { BrokerContext } from './provider.ts';

/** Seconds that an answer asks to wait (RFC 9110 section 10.2.3), 0 or more; null where it doesn't say. */
export function retryAfter(answer: Pick<JsonAnswer, 'headers' | 'date' | 'receivedAt'>): number | null {
  const text = answer.headers['retry-after'] ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const time = Date.parse(text);
  // A date is by the server's clock.
  return Number.isNaN(time)
    ? null
    : Math.max(0, (time - (answer.date ?? answer.receivedAt).getTime()) / 1000);
}

export interface RetryLimits {
  /** How often to ask at most; 3 where it isn't given. */
  readonly attempts?: number;
  /** How long to wait in all, in milliseconds; 6,000 where it isn't given. An answer that asks for more is final. */
  readonly waitMs?: number;
}

/**
 * Calls again after an answer of 429, 503 or 412 from the server itself (in JSON, or with a `Retry-After`) and after a
 * connection that was refused. Nothing else: a request that was cut off, or a gateway's error page, may have had its
 * effect. Resolves or rejects as the last call did. The end of `context.signal` ends the waiting.
 */
export async function withRetry(
  call: () => Promise<JsonAnswer>,
  context: Pick<BrokerContext, 'signal'>,
  limits: RetryLimits = {},
): Promise<JsonAnswer> {
  let left = limits.waitMs ?? 6_000;
  for (let attempt = 1; ; attempt++) {
    const [answer, error] = await settle(call);
    const pause = answer === null ? pauseAfterError(error, attempt) : pauseAfter(answer, attempt);
    const over = attempt >= (limits.attempts ?? 3) || context.signal.aborted;
    if (pause === null || pause > left || over) {
      if (answer === null) throw error;
      return answer;
    }
    left -= pause;
    await abortableWait(pause, context.signal);
  }
}

async function settle(call: () => Promise<JsonAnswer>): Promise<[JsonAnswer, null] | [null, unknown]> {
  try {
    return [await call(), null];
  } catch (error) {
    return [null, error];
  }
}

/** Milliseconds to wait before the next attempt; null where there must be none. */
function pauseAfter(answer: JsonAnswer, attempt: number): number | null {
  if (![412, 429, 503].includes(answer.status)) return null;
  const asked = retryAfter(answer);
  if (asked !== null) return asked * 1000;
  return answer.status !== 429 && answer.body === null ? null : pauseOf(attempt);
}

function pauseAfterError(error: unknown, attempt: number): number | null {
  return error instanceof ExchangeError && error.retryable ? pauseOf(attempt) : null;
}

/** Twice as long each time, and never the same for two who were refused together. */
function pauseOf(attempt: number): number {
  return 250 * 2 ** (attempt - 1) * (0.5 + Math.random());
}
