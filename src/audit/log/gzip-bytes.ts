/** The bytes of a compressed file of the log, read as if it weren't: forwards in one pass, backwards in one for each window. */
import type { LogBytes } from './bytes.ts';
import { type Inflater, inflater, type ReadPart } from './inflate.ts';

export interface GzipBytes extends LogBytes {
  close(): void;
}

/** An archive of the usual size is held as a whole, so that reading it backwards takes one pass. */
const WINDOW = 96 * 1024 * 1024;

/** Holds at most about `window` bytes of what comes out. Throws as `Inflater`, and `tooLarge` behind `most` bytes. */
export function bytesOfGzip(
  read: ReadPart,
  { most, tooLarge, window = WINDOW }: { most: number; tooLarge: () => Error; window?: number },
): GzipBytes {
  let source: Inflater = inflater(read);
  let pieces: Buffer[] = [];
  /** What `pieces` hold, and whether `end` is that of all. */
  let [start, end, isWhole] = [0, 0, false];

  const restart = () => {
    source.close();
    source = inflater(read);
    pieces = [];
    [start, end, isWhole] = [0, 0, false];
  };
  /** What is before `needed` may go. */
  const pull = (needed: number) => {
    const piece = source.next();
    if (piece === null) {
      isWhole = true;
      return;
    }
    pieces.push(piece);
    end += piece.length;
    if (end > most) throw tooLarge();
    for (let [first] = pieces; first !== undefined; [first] = pieces) {
      if (end - start - first.length < window || start + first.length > needed) break;
      pieces.shift();
      start += first.length;
    }
  };

  return {
    size() {
      while (!isWhole) pull(Number.POSITIVE_INFINITY);
      return end;
    },
    read(offset, length) {
      if (offset < start) restart();
      while (!isWhole && end < offset + length) pull(offset);
      const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, end - offset)));
      let at = start;
      for (const piece of pieces) {
        if (at + piece.length > offset && at < offset + bytes.length)
          piece.copy(bytes, Math.max(0, at - offset), Math.max(0, offset - at));
        at += piece.length;
      }
      return bytes;
    },
    close: () => source.close(),
  };
}
