/**
 * What a value looks like inside base64 text (RFC 4648). It may stand anywhere in what was encoded, so there are
 * three alignments; of each, only the characters that depend on the value alone are kept.
 */

/** The three alignments, in the standard alphabet. */
export function base64Forms(value: Buffer): string[] {
  return ALIGNMENTS.map((shift) => alignedBase64(value, shift));
}

/** The three alignments, in the alphabet for URLs and file names. */
export function base64UrlForms(value: Buffer): string[] {
  return base64Forms(value).map((form) => form.replaceAll('+', '-').replaceAll('/', '_'));
}

/**
 * The alignments as they are folded into lines of `width` characters, at every column where the value can begin:
 * `env | base64` folds the whole, not the value.
 */
export function foldedBase64Forms(value: Buffer, width: number): string[] {
  return ALIGNMENTS.flatMap((shift) => {
    const form = alignedBase64(value, shift);
    const lines: string[] = [];
    for (let column = firstSextet(shift); column < width; column += 4) {
      if (column + form.length > width) lines.push(fold(form, width, column));
    }
    return lines;
  });
}

const ALIGNMENTS = [0, 1, 2];

function alignedBase64(value: Buffer, shift: number): string {
  const encoded = Buffer.concat([Buffer.alloc(shift), value]).toString('base64');
  return encoded.slice(firstSextet(shift), Math.floor(((shift + value.length) * 8) / 6));
}

/** Index of the first character whose six bits all belong to a value that begins after `shift` bytes. */
function firstSextet(shift: number): number {
  return Math.ceil((shift * 8) / 6);
}

function fold(form: string, width: number, column: number): string {
  const lines = [form.slice(0, width - column)];
  for (let at = width - column; at < form.length; at += width) lines.push(form.slice(at, at + width));
  return lines.join('\n');
}
