/**
 * What a value looks like inside base64 text (RFC 4648). It may stand anywhere in what was encoded, so there are
 * three alignments; of each, only the characters that depend on the value alone are kept.
 */

/** The three alignments, in the standard alphabet. */
export function base64Forms(value: Buffer): string[] {
  return ALIGNMENTS.map((shift) => {
    const encoded = shift === 0 ? value : Buffer.concat([Buffer.alloc(shift), value]);
    return encoded.toString('base64').slice(firstSextet(shift), Math.floor((encoded.length * 8) / 6));
  });
}

/** The three alignments, in the alphabet for URLs and file names. */
export function base64UrlForms(value: Buffer): string[] {
  return base64Forms(value).map((form) => form.replaceAll('+', '-').replaceAll('/', '_'));
}

const ALIGNMENTS = [0, 1, 2];

/** Index of the first character whose six bits all belong to a value that begins after `shift` bytes. */
function firstSextet(shift: number): number {
  return Math.ceil((shift * 8) / 6);
}
