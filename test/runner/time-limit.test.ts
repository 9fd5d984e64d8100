import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchTimeLimit } from '../../src/runner/time-limit.ts';

/** The wall clock, which a suspend or its owner moves without the timers. */
const clock = { now: Date.UTC(2026, 2, 1, 12) };
const SECOND = 1000;
const MINUTE = 60 * SECOND;

beforeEach(() => {
  clock.now = Date.UTC(2026, 2, 1, 12);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  vi.spyOn(Date, 'now').mockImplementation(() => clock.now);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Lets time pass for timers and wall clock alike, a little at a time, as it does. */
function pass(ms: number): void {
  const step = 100;
  for (let gone = 0; gone < ms; gone += step) {
    clock.now += Math.min(step, ms - gone);
    vi.advanceTimersByTime(Math.min(step, ms - gone));
  }
}

/** Milliseconds of grant left at each warning, and how often the end came. */
function watch(grantMs: number) {
  const seen = { warnings: [] as number[], ends: 0 };
  const limit = watchTimeLimit(
    new Date(clock.now + grantMs),
    (leftMs) => seen.warnings.push(leftMs),
    () => (seen.ends += 1),
  );
  return { seen, stop: () => limit.stop() };
}

describe('the end', () => {
  it.each([50, 999, 1000, 1001, 12_345, MINUTE])('comes after %i ms, and once', (grantMs) => {
    const { seen } = watch(grantMs);
    pass(grantMs - 1);
    expect(seen.ends).toBe(0);
    pass(1);
    expect(seen.ends).toBe(1);
    pass(MINUTE);
    expect(seen.ends).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('comes at once where the time is over already', () => {
    for (const late of [0, -1, -MINUTE]) expect(watch(late).seen).toEqual({ warnings: [], ends: 1 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('comes within a second of waking up after a suspend', () => {
    const { seen } = watch(15 * MINUTE);
    pass(5 * MINUTE);
    clock.now += 60 * MINUTE; // the lid is closed
    expect(seen.ends).toBe(0);
    vi.advanceTimersByTime(1000);
    expect(seen.ends).toBe(1);
  });

  it('follows a clock that is set back, and one that is set ahead', () => {
    const back = watch(MINUTE);
    clock.now -= 30 * SECOND;
    pass(MINUTE);
    expect(back.seen.ends).toBe(0);
    pass(30 * SECOND);
    expect(back.seen.ends).toBe(1);
    const ahead = watch(MINUTE);
    clock.now += 30 * SECOND;
    pass(30 * SECOND);
    expect(ahead.seen.ends).toBe(1);
  });

  it('does not come after `stop`', () => {
    const { seen, stop } = watch(MINUTE);
    pass(30 * SECOND);
    stop();
    stop();
    pass(5 * MINUTE);
    expect(seen).toEqual({ warnings: [], ends: 0 });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the warning', () => {
  it.each([
    ['a minute ahead of a long grant', 12 * 60 * MINUTE, MINUTE],
    ['a minute ahead of fifteen', 15 * MINUTE, MINUTE],
    ['a minute ahead of ten', 10 * MINUTE, MINUTE],
    ['a tenth ahead of a shorter one', 5 * MINUTE, 30 * SECOND],
    ['a second ahead of ten', 10 * SECOND, SECOND],
  ])('comes %s, once', (_, grantMs, ahead) => {
    const { seen } = watch(grantMs);
    pass(grantMs - ahead - 100);
    expect(seen.warnings).toEqual([]);
    pass(200);
    expect(seen.warnings).toHaveLength(1);
    expect(Math.abs((seen.warnings[0] ?? 0) - ahead)).toBeLessThanOrEqual(100);
    pass(ahead);
    expect(seen).toMatchObject({ warnings: [expect.any(Number)], ends: 1 });
  });

  it.each([9_999, 3000, 1000, 1])('does not come for a grant of %i ms', (grantMs) => {
    const { seen } = watch(grantMs);
    pass(grantMs);
    expect(seen).toEqual({ warnings: [], ends: 1 });
  });

  it('tells what is left where a suspend has taken most of the time', () => {
    const { seen } = watch(15 * MINUTE);
    clock.now += 14 * MINUTE + 50 * SECOND;
    vi.advanceTimersByTime(1000);
    expect(seen).toEqual({ warnings: [10 * SECOND], ends: 0 });
  });

  it('does not come where a suspend has taken all of it', () => {
    const { seen } = watch(15 * MINUTE);
    clock.now += 20 * MINUTE;
    vi.advanceTimersByTime(1000);
    expect(seen).toEqual({ warnings: [], ends: 1 });
  });

  it('comes once although the clock is set back after it', () => {
    const { seen } = watch(15 * MINUTE);
    pass(14 * MINUTE + SECOND);
    clock.now -= 5 * MINUTE;
    pass(7 * MINUTE);
    expect(seen).toEqual({ warnings: [expect.any(Number)], ends: 1 });
  });
});
