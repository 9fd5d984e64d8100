/** Durations as people write them: `900`, `15m`, `1h30m`. */

const UNITS = { h: 3600, m: 60, s: 1 } as const;
const PATTERN = /^(?:(\d{1,6})|(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?)$/;

/** Whole seconds of a duration, or null where the text is none or is zero. */
export function parseDuration(text: string): number | null {
  const match = PATTERN.exec(text);
  if (!match || text === '') return null;
  const [, plain, hours, minutes, seconds] = match;
  const total =
    plain !== undefined
      ? Number(plain)
      : Number(hours ?? 0) * UNITS.h + Number(minutes ?? 0) * UNITS.m + Number(seconds ?? 0);
  return total > 0 ? total : null;
}

/** The shortest writing of a duration: `15m`, `1h30m`, `45s`. */
export function formatDuration(totalSeconds: number): string {
  const hours = Math.floor(totalSeconds / UNITS.h);
  const minutes = Math.floor((totalSeconds % UNITS.h) / UNITS.m);
  const seconds = totalSeconds % UNITS.m;
  const text = `${hours ? `${hours}h` : ''}${minutes ? `${minutes}m` : ''}${seconds ? `${seconds}s` : ''}`;
  return text || '0s';
}
