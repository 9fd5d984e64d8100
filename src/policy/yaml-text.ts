/** The map's bytes as text that looks to its readers exactly as it is. */
import type { Fault } from './fault.ts';

/** The largest map that is read. */
export const MAX_MAP_BYTES = 1024 * 1024;

const MAX_HIDDEN = 100;

/**
 * Characters that a reviewer would not see or would see elsewhere: C0 and C1 controls except tab and line ends,
 * bidi controls, zero-width blanks, line and paragraph separators, tags. Joiners stay, for languages and emoji.
 */
const HIDDEN =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/u;

/** Decodes strict UTF-8 (a byte order mark is dropped). Either the text, or the faults that forbid reading it. */
export function decodeMap(bytes: Uint8Array): { text: string; faults: Fault[] } {
  if (bytes.length > MAX_MAP_BYTES) {
    return failed('too_large', `"map" is larger than ${MAX_MAP_BYTES} bytes`, { line: 1, column: 1 });
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return failed('not_utf8', '"map" is not valid UTF-8', firstBadLine(bytes), 'save the file as UTF-8');
  }
  return { text, faults: hiddenCharacters(text) };
}

/** The first of each line; a binary file would have no end of them. */
function hiddenCharacters(text: string): Fault[] {
  const faults: Fault[] = [];
  text.split('\n').forEach((line, index) => {
    const column = line.search(HIDDEN);
    if (column < 0 || faults.length === MAX_HIDDEN) return;
    const code = (line.codePointAt(column) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    faults.push({
      code: 'hidden_character',
      message: `"U+${code}" is a character that readers of the map can't see`,
      line: index + 1,
      column: column + 1,
      text: null,
      fix: 'delete the character',
      at: '(map)',
    });
  });
  return faults;
}

function failed(
  code: Fault['code'],
  message: string,
  position: { readonly line: number; readonly column: number },
  fix: string | null = null,
): { text: string; faults: Fault[] } {
  return { text: '', faults: [{ code, message, ...position, text: null, fix, at: '(map)' }] };
}

/** No byte of a multi-byte character is a newline, so each line can be judged alone. */
function firstBadLine(bytes: Uint8Array): { line: number; column: number } {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let start = 0;
  for (let line = 1; ; line += 1) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    try {
      decoder.decode(bytes.subarray(start, end));
    } catch {
      return { line, column: 1 };
    }
    if (newline < 0) return { line, column: 1 };
    start = newline + 1;
  }
}
