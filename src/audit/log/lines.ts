/** The lines of one file of the log, forwards and from its end, with bounded memory however long the file or a line is. */
import type { LogBytes } from './bytes.ts';

export interface LogLine {
  /** Without the newline; of a line longer than any record, a part. */
  readonly bytes: Buffer;
  /** False for a last line that has no newline. */
  readonly ended: boolean;
  /** Offset behind the line and its newline. */
  readonly next: number;
}

/** The lines from offset `from` on, in order, up to the end that the file has when it is reached. */
export function* readLines(file: LogBytes, from = 0): Generator<LogLine> {
  let offset = from;
  let start = EMPTY;
  for (;;) {
    const chunk = file.read(offset, CHUNK);
    if (chunk.length === 0) break;
    let at = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, at)) {
      yield { bytes: join(start, chunk.subarray(at, end)), ended: true, next: offset + end + 1 };
      start = EMPTY;
      at = end + 1;
    }
    start = join(start, chunk.subarray(at));
    offset += chunk.length;
  }
  if (start.length > 0) yield { bytes: start, ended: false, next: offset };
}

/** The lines before offset `end` (the file's end where it isn't given), last first. */
export function* readLinesBackwards(file: LogBytes, end = file.size()): Generator<LogLine> {
  let offset = end;
  let rest = EMPTY;
  let next = end; // this and `ended` are of the line whose last part is in `rest`
  let ended = false;
  while (offset > 0) {
    const length = Math.min(CHUNK, offset);
    offset -= length;
    const chunk = file.read(offset, length);
    let to = chunk.length;
    for (let at = lastNewline(chunk, to); at >= 0; at = lastNewline(chunk, to)) {
      const bytes = join(chunk.subarray(at + 1, to), rest);
      if (ended || bytes.length > 0) yield { bytes, ended, next };
      rest = EMPTY;
      ended = true;
      next = offset + at + 1;
      to = at;
    }
    rest = join(chunk.subarray(0, to), rest);
  }
  if (ended || rest.length > 0) yield { bytes: rest, ended, next };
}

const CHUNK = 256 * 1024;
const NEWLINE = 0x0a;
const EMPTY: Buffer = Buffer.alloc(0);

/** Longer than any record: what is beyond it is dropped, and what is left is no record. */
const LONGEST_KEPT = 1024 * 1024;

function lastNewline(chunk: Buffer, before: number): number {
  return before === 0 ? -1 : chunk.lastIndexOf(NEWLINE, before - 1);
}

function join(first: Buffer, second: Buffer): Buffer {
  if (first.length === 0) return second;
  if (second.length === 0 || first.length > LONGEST_KEPT) return first;
  if (second.length > LONGEST_KEPT) return second;
  return Buffer.concat([first, second]);
}
