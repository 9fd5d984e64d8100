/** Columns that stand under one another, for a table whose cells are escaped and of plain width. */

/** How a line of the table is written; each column but the last is as wide as its widest text. */
export function columnsOf(
  headings: readonly string[],
  cells: readonly (readonly string[])[],
): (texts: readonly string[]) => string {
  const widths = headings.map((heading, column) =>
    cells.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), heading.length),
  );
  return (texts) =>
    texts
      .map((text, column) => (column === texts.length - 1 ? text : text.padEnd(widths[column] ?? 0)))
      .join('  ');
}
