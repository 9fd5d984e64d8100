/**
 * What a value looks like inside base64 text (RFC 4648). It may stand anywhere in what was encoded, so there are
 * three alignments; of each, only the characters that depend on the value alone are kept.
 */
import { SHORTEST_FOLDED } from './patterns.ts';

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

/** Those of the forms that the matcher is not able to find folded, folded at every column. */
export function foldedBase64Forms(value: Buffer): string[] {
  const shortest = Math.floor((value.length * 8) / 6) - 1;
  if (shortest >= SHORTEST_FOLDED) return [];
  return [...base64Forms(value), ...base64UrlForms(value)].flatMap(shortFolded);
}

const ALIGNMENTS = [0, 1, 2];

/** Index of the first character whose six bits all belong to a value that begins after `shift` bytes. */
function firstSextet(shift: number): number {
  return Math.ceil((shift * 8) / 6);
}

function shortFolded(form: string): string[] {
  if (form.length >= SHORTEST_FOLDED) return [];
  const columns = Array.from({ length: form.length - 1 }, (_, index) => index + 1);
  return columns.flatMap((at) => ['\n', '\r\n'].map((end) => form.slice(0, at) + end + form.slice(at)));
}
