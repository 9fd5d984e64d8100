/** The part of git's path patterns that `includeIf` conditions use: `*`, `?` and `**`, never a regular expression. */

/**
 * Whether `text` matches, segment by segment; `**` stands for any number of segments. Null where the pattern uses
 * brackets or backslashes, which this does not judge. Takes time linear in pattern × text.
 */
export function matchPathPattern(pattern: string, text: string, ignoreCase: boolean): boolean | null {
  if (/[[\]\\]/.test(pattern)) return null;
  const [wanted, given] = ignoreCase ? [pattern.toLowerCase(), text.toLowerCase()] : [pattern, text];
  const parts = given.split('/');
  const segments = wanted.split('/');
  // How many segments of the path the pattern so far can have used up.
  let reached = [0];
  for (const [index, segment] of segments.entries()) {
    if (segment === '**') {
      // At the end of a pattern `**` means "something below", elsewhere also "nothing between".
      reached = allFrom(reached, index === segments.length - 1 ? 1 : 0, parts.length);
    } else {
      reached = reached.filter((at) => matchSegment(segment, parts[at])).map((at) => at + 1);
    }
  }
  return reached.includes(parts.length);
}

function matchSegment(pattern: string, text: string | undefined): boolean {
  if (text === undefined) return false;
  let reached = [0];
  for (const char of pattern) {
    if (char === '*') reached = allFrom(reached, 0, text.length);
    else
      reached = reached
        .filter((at) => at < text.length && (char === '?' || char === text[at]))
        .map((at) => at + 1);
  }
  return reached.includes(text.length);
}

/** Every place from the first that was reached, plus `least`, up to `end`. */
function allFrom(reached: readonly number[], least: number, end: number): number[] {
  const first = reached[0];
  return first === undefined
    ? []
    : Array.from({ length: Math.max(0, end - first - least + 1) }, (_, i) => first + least + i);
}
