/**
 * Where lines of a text are folded: a fold is a run of up to 32 bytes of line ends and blanks, with a line end among
 * them; `\n`, `\r` and `\t` written as two characters, as in a JSON string, count as well.
 */

export const LONGEST_FOLD = 32;

const BLANK = 1;
const LINE_END = 2;
const ESCAPE = 4;
const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const BACKSLASH = 92;

/** The bytes that a fold can begin with. */
export const FOLD_BYTES = [TAB, LF, CR, SPACE, BACKSLASH];

/** True for bytes that a fold can begin with; needles that may be folded hold none of them. */
export function isFoldByte(byte: number | undefined): boolean {
  return byte !== undefined && KINDS[byte] !== 0;
}

/** What a byte is in a fold; a backslash, what it begins. */
const KINDS = new Uint8Array(256);
KINDS[SPACE] = KINDS[TAB] = BLANK;
KINDS[LF] = KINDS[CR] = LINE_END;
KINDS[BACKSLASH] = ESCAPE;

/** What the two-character escape of a fold stands for; 0 for anything else. */
function escaped(letter: number | undefined): number {
  if (letter === 0x6e || letter === 0x72) return LINE_END;
  return letter === 0x74 ? BLANK : 0;
}

function kindOf(byte: number | undefined): number {
  return byte === undefined ? 0 : (KINDS[byte] as number) & (BLANK | LINE_END);
}

/** A quick look: false where no fold begins at `at`, or something else than `byte` follows it. */
export function mayGoOn(text: Uint8Array, at: number, byte: number | undefined): boolean {
  if (!isFoldByte(text[at])) return false;
  let behind = at;
  while (behind - at <= LONGEST_FOLD && kindOf(text[behind]) !== 0) behind++;
  return behind >= text.length || text[behind] === byte || text[behind] === BACKSLASH;
}

/** What the character that ends before `end` is in a fold; 0 for anything else. */
function kindBefore(text: Uint8Array, end: number): number {
  const byte = text[end - 1];
  const plain = kindOf(byte);
  return plain !== 0 || end < 2 || text[end - 2] !== BACKSLASH ? plain : escaped(byte);
}

/** A quick look: false where no fold ends before `end`. */
export function endsFold(text: Uint8Array, end: number): boolean {
  return kindBefore(text, end) !== 0;
}

/** Where the fold begins that ends before `end`, or -1. */
export function foldBefore(text: Uint8Array, end: number): number {
  let at = end;
  let kinds = 0;
  while (at > 0 && end - at <= LONGEST_FOLD) {
    const kind = kindBefore(text, at);
    if (kind === 0) return (kinds & LINE_END) !== 0 ? at : -1;
    kinds |= kind;
    at -= kindOf(text[at - 1]) !== 0 ? 1 : 2;
  }
  return -1;
}

/** Instead of the end of a fold: the text ends in what may be one. */
export const OPEN = -1;

/** Where the fold ends that begins at `start`; `start` where there is none. */
export function foldEnd(text: Uint8Array, start: number): number {
  let at = start;
  let kinds = 0;
  while (at - start <= LONGEST_FOLD) {
    if (at >= text.length || (text[at] === BACKSLASH && at + 1 === text.length)) return OPEN;
    const plain = kindOf(text[at]);
    const kind = plain !== 0 || text[at] !== BACKSLASH ? plain : escaped(text[at + 1]);
    if (kind === 0) return (kinds & LINE_END) !== 0 ? at : start;
    kinds |= kind;
    at += plain !== 0 ? 1 : 2;
  }
  return start;
}
