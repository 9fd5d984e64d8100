/**
 * Whether a text is a moment exactly as `Date.toISOString` writes it. Date.parse takes much more: other zones, dates
 * without a time, and in some forms any text at all in brackets.
 */
export function isExactTime(text: string): boolean {
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString() === text;
}
