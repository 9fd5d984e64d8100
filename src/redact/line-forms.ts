/** How a value with several lines is laid out. */

/** Its lines without indentation, but for those that say nothing. */
export function longLines(core: string): string[] {
  if (!core.includes('\n')) return [];
  return core
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !PEM_BOUNDARY.test(line));
}

/** These lines are in every PEM file (RFC 7468) and say nothing. */
const PEM_BOUNDARY = /^-----(?:BEGIN|END) [\x20-\x7e]*-----$/;

/** The value's lines, put together as other programs do. */
export function reflowed(core: string): string[] {
  if (!core.includes('\n')) return [];
  const lines = core.split(/\r?\n/);
  const bare = core.split(/[ \t]*\r?\n[ \t]*/);
  const indented = ['  ', ' '.repeat(4), ' '.repeat(6), ' '.repeat(8), '\t'].flatMap((indent) => [
    lines.join(`\n${indent}`),
    lines.join(`\r\n${indent}`),
  ]);
  return [lines.join('\n'), lines.join('\r\n'), ...indented, bare.join(' '), bare.join('')];
}
