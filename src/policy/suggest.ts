/** Did-you-mean: the known word nearest to a mistyped one. */

/** The nearest of `words`, or null where none is near enough to be meant. */
export function nearest(word: string, words: readonly string[]): string | null {
  const wanted = fold(word);
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of words) {
    const distance = editDistance(wanted, fold(candidate), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** `maxTTL`, `max-ttl` and `max_ttl` are one word to the person who types them. */
function fold(word: string): string {
  return word.toLowerCase().replace(/[-_\s]/g, '');
}

/** Optimal string alignment distance (insert, delete, replace, swap neighbours); `limit` or more may be any number. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const cell = (row: number, column: number) => rows[row]?.[column] ?? limit;
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j += 1) {
      const replace = cell(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(replace, cell(i - 1, j) + 1, cell(i, j - 1) + 1, swapped ? cell(i - 2, j - 2) + 1 : replace),
      );
    }
  }
  return cell(a.length, b.length);
}
