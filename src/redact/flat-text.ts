/** A text without its folds, flattened only as far as needed. */
import { foldEnd, isFoldByte, OPEN } from './folds.ts';

/** The bytes at the beginning of a needle among which there may be one fold at most: two could hide all samples. */
export const ONCE_FOLDED = 37;
/** Candidates come nearly in order; one may lie so much before the last. */
const MARGIN = 128;

export class FlatText {
  bytes = new Uint8Array(256);
  size = 0;
  #places = new Int32Array(256);
  /** Each fold, as the number of flat bytes before it. */
  #folds: number[] = [];
  #text: Uint8Array = this.bytes;
  #final = true;
  #next = 0;
  #last = 0;
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
    const places = this.#places;
    // Most often a little further than the last time, with few folds in between.
    const last = this.#last < this.size && (places[this.#last] as number) <= at ? this.#last : 0;
    let low = last;
    let high = Math.min(this.size - 1, last + at - (places[last] as number));
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((places[middle] as number) <= at) low = middle;
      else high = middle - 1;
    }
    if (low >= this.size || places[low] !== at) return -1;
    this.#last = low;
    return low;
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
    if (target > this.bytes.length) this.#grow(target);
    const { bytes } = this;
    const text = this.#text;
    const places = this.#places;
    while (this.size < target && !this.ended) {
      let at = this.#skipFold();
      if (this.#open) return;
      if (at > this.#next) {
        this.#folds.push(this.size);
      } else {
        // What begins no fold goes over as it is, whatever byte it is.
        let { size } = this;
        do {
          bytes[size] = text[at] as number;
          places[size] = at;
          size += 1;
          at += 1;
        } while (size < target && at < text.length && !isFoldByte(text[at]));
        this.size = size;
      }
      this.#next = at;
    }
  }

  #skipFold(): number {
    const end = foldEnd(this.#text, this.#next);
    this.#open = end === OPEN && !this.#final;
    return end === OPEN ? this.#next : end;
  }

  #grow(target: number): void {
    const { bytes } = this;
    const places = this.#places;
    this.bytes = new Uint8Array(2 * target);
    this.bytes.set(bytes);
    this.#places = new Int32Array(2 * target);
    this.#places.set(places);
  }

  #restart(at: number): void {
    this.size = 0;
    if (this.#folds.length > 0) this.#folds = [];
    this.#next = at;
    this.#open = false;
  }
}
