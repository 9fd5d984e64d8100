/**
 * A text without its folds. A fold is a run of up to 32 line ends and blanks, with a line end among them; `\n`, `\r`
 * and `\t` written as two characters, as in a JSON string, count as well. Flattened only as far as needed.
 */

/** The bytes at the beginning of a needle among which there may be one fold at most: two could hide all samples. */
export const ONCE_FOLDED = 35;
const LONGEST_FOLD = 32;

const BLANK = 1;
const LINE_END = 2;
const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const BACKSLASH = 92;

/** The bytes that a fold can begin with. */
export const FOLD_BYTES = [TAB, LF, CR, SPACE, BACKSLASH];

/** True for bytes that a fold can begin with; needles that may be folded hold none of them. */
export function isFoldByte(byte: number | undefined): boolean {
  return byte === LF || byte === CR || byte === SPACE || byte === TAB || byte === BACKSLASH;
}

/** What the two-character escape of a fold stands for; 0 for anything else. */
function escaped(letter: number | undefined): number {
  if (letter === 0x6e || letter === 0x72) return LINE_END;
  return letter === 0x74 ? BLANK : 0;
}

function kindOf(byte: number | undefined): number {
  if (byte === LF || byte === CR) return LINE_END;
  return byte === SPACE || byte === TAB ? BLANK : 0;
}

/** Where the fold begins that ends before `end`, or -1. */
export function foldBefore(text: Uint8Array, end: number): number {
  let at = end;
  let kinds = 0;
  while (at > 0 && end - at <= LONGEST_FOLD) {
    const byte = text[at - 1];
    const plain = kindOf(byte);
    const kind = plain !== 0 || text[at - 2] !== BACKSLASH ? plain : escaped(byte);
    if (kind === 0) return (kinds & LINE_END) !== 0 ? at : -1;
    kinds |= kind;
    at -= plain !== 0 ? 1 : 2;
  }
  return -1;
}

export class FlatText {
  bytes = new Uint8Array(256);
  size = 0;
  #places = new Int32Array(256);
  /** Each fold, as the number of flat bytes before it. */
  #folds: number[] = [];
  #text: Uint8Array = this.bytes;
  #final = true;
  #next = 0;
  /** What is left of the text may be the beginning of a fold. */
  #open = false;

  /** Forgets the text before. */
  take(text: Uint8Array, final: boolean): void {
    this.#text = text;
    this.#final = final;
    this.#restart(0);
  }

  /** The flat index of the text's byte `at`; -1 if it is not among the flattened bytes. */
  indexOf(at: number): number {
    let low = 0;
    let high = this.size - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#places[middle] as number) <= at) low = middle;
      else high = middle - 1;
    }
    return this.size > 0 && this.#places[low] === at ? low : -1;
  }

  /** Starts anew so that byte `at` is among the flattened ones, and returns its index. */
  restart(at: number): number {
    const margin = this.size > 0 && at < (this.#places[0] as number) ? MARGIN : 0;
    this.#restart(Math.max(0, at - margin));
    while (this.#next <= at && !this.ended) this.extend(this.size + 1);
    const index = this.indexOf(at);
    if (index >= 0) return index;
    // It is the second character of an escape.
    this.#restart(at);
    return 0;
  }

  /** The text's position of a flat byte. */
  placeOf(index: number): number {
    return this.#places[index] as number;
  }

  /** True where no more bytes can be had before more text comes. */
  get ended(): boolean {
    return this.#open || this.#next >= this.#text.length;
  }

  /**
   * Whether no more than one fold stands in the first bytes of what begins at `from` and ends before `end`.
   * `unfinished` if it goes on: then a fold that ends the text counts.
   */
  allows(from: number, end: number, unfinished: boolean): boolean {
    let low = 0;
    let high = this.#folds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#folds[middle] as number) > from) high = middle;
      else low = middle + 1;
    }
    const once = from + ONCE_FOLDED;
    const last = unfinished && this.#open && this.size < once ? 1 : 0;
    return (this.#folds[low + 1 - last] ?? Number.POSITIVE_INFINITY) >= Math.min(once, end);
  }

  /** Flattens on until there are `target` bytes, or the text has no more. */
  extend(target: number): void {
    const text = this.#text;
    while (this.size < target && !this.ended) {
      const start = this.#next;
      const end = this.#skipFold();
      if (this.#open) return;
      if (end > start) {
        this.#folds.push(this.size);
        this.#next = end;
        continue;
      }
      if (this.size === this.bytes.length) this.#grow();
      this.bytes[this.size] = text[start] as number;
      this.#places[this.size] = start;
      this.size += 1;
      this.#next += 1;
    }
  }

  /** Where the fold ends that begins at the next byte; that byte where there is none. */
  #skipFold(): number {
    const text = this.#text;
    const start = this.#next;
    let at = start;
    let kinds = 0;
    while (at - start <= LONGEST_FOLD) {
      if (at >= text.length || (text[at] === BACKSLASH && at + 1 === text.length)) {
        this.#open = !this.#final;
        return (kinds & LINE_END) !== 0 ? at : start;
      }
      const plain = kindOf(text[at]);
      const kind = plain !== 0 || text[at] !== BACKSLASH ? plain : escaped(text[at + 1]);
      if (kind === 0) return (kinds & LINE_END) !== 0 ? at : start;
      kinds |= kind;
      at += plain !== 0 ? 1 : 2;
    }
    return start;
  }

  #grow(): void {
    const { bytes } = this;
    const places = this.#places;
    this.bytes = new Uint8Array(2 * bytes.length);
    this.bytes.set(bytes);
    this.#places = new Int32Array(2 * places.length);
    this.#places.set(places);
  }

  #restart(at: number): void {
    this.size = 0;
    this.#folds = [];
    this.#next = at;
    this.#open = false;
  }
}

/** Candidates come nearly in order; one may lie so much before the last. */
const MARGIN = 128;
