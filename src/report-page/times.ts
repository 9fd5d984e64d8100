/** Times as the page shows them: UTC, as the log has them. */

/** `2026-03-01 12:00:01`; empty for none. */
export function formatTime(milliseconds: number | null): string {
  return milliseconds === null ? '' : new Date(milliseconds).toISOString().slice(0, 19).replace('T', ' ');
}

/** A length of time in its two largest units. */
export function formatLength(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const units = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const first = units.findIndex(([number]) => number > 0);
  if (first < 0) return `${milliseconds} ms`;
  return units
    .slice(first, first + 2)
    .flatMap(([number, unit]) => (number > 0 ? [`${number} ${unit}`] : []))
    .join(' ');
}

/** Milliseconds of a date, with or without a time of day, in UTC; null for anything else. */
export function parseTime(text: string): number | null {
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)Z?)?$/.exec(text.trim());
  const time = match ? Date.parse(`${match[1]}T${match[2] ?? '00:00'}Z`) : Number.NaN;
  return Number.isNaN(time) ? null : time;
}
