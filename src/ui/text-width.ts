/** How many columns of a terminal a text takes. */

/** For texts that were escaped: without controls, format and invisible characters. */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += MARK.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return width;
}

/** A text that takes `width` columns, no more and no less: filled with blanks, or its end replaced by `…`. */
export function fitTo(text: string, width: number): string {
  const missing = width - textWidth(text);
  if (missing >= 0) return text + ' '.repeat(missing);
  let kept = '';
  let left = width - 1;
  for (const char of text) {
    left -= textWidth(char);
    if (left < 0) break;
    kept += char;
  }
  const cut = `${kept}…`;
  return cut + ' '.repeat(Math.max(0, width - textWidth(cut)));
}

const ASCII = /^[ -~]*$/;
/** Drawn over the character before. */
const MARK = /[\p{Mn}\p{Me}]/u;
/** The scripts and signs that Unicode's East Asian Width (UAX #11) has as wide or full-width, and emoji. */
const WIDE =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Hangul}\p{sc=Bopomofo}\p{sc=Yi}\p{sc=Tangut}\u3000-\u303e\u30a0-\u30ff\u31f0-\u33ff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\p{Emoji_Presentation}]/u;

export interface ColumnNeed {
  /** What it would like. */
  readonly width: number;
  /** What it can do with; all of it where this isn't given. */
  readonly least?: number;
  /** Where there is still no room, the column with the lowest rank goes first; one without stays. */
  readonly rank?: number;
}

/** The widths of columns that together fit `room`, 0 for one that is left out; as they are where there is no limit. */
export function fitWidths(columns: readonly ColumnNeed[], room: number | undefined, gap: number): number[] {
  const widths = columns.map(({ width }) => width);
  if (room === undefined) return widths;
  const least = columns.map(({ width, least = width }) => Math.min(width, least));
  const over = (of: readonly number[]) =>
    of.reduce((sum, width) => sum + (width > 0 ? width + gap : 0), -gap) - room;
  const byRank = columns.flatMap(({ rank }, at) => (rank === undefined ? [] : [{ rank, at }]));
  for (const { at } of byRank.sort((a, b) => a.rank - b.rank)) {
    if (over(least) <= 0) break;
    least[at] = widths[at] = 0;
  }
  const spare = (at: number) => (widths[at] ?? 0) - (least[at] ?? 0);
  for (let excess = over(widths); excess > 0; excess--) {
    const widest = widths.reduce((best, _, at) => (spare(at) > spare(best) ? at : best), 0);
    if (spare(widest) <= 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}
