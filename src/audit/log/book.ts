/**
 * The whole log as one: its archives and its current file. Reads without changing anything, and stays whole while a run
 * rotates the log in between.
 */
import { closeSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type Archive, listArchives, withArchive } from './archives.ts';
import { bytesOfBuffer, bytesOfFile, type LogBytes } from './bytes.ts';
import { readSeq } from './chain.ts';
import { type LogLine, readLines, readLinesBackwards } from './lines.ts';
import { openForReading } from './open-log.ts';
import { isBetweenRenames } from './rotation-names.ts';

/** A line, and the file in which it stands. */
export interface BookLine extends LogLine {
  readonly file: string;
}

export interface LogBook {
  /** Path of the current file. */
  readonly path: string;
  /** The file that is appended to. */
  readonly current: LogBytes;
  /** True where there are archives, but no such file, or an empty one, nor one that a rotation is about to put in its place. */
  readonly currentMissing: boolean;
  /** Oldest first. An archive is opened when its first line is asked for. */
  readonly archives: readonly Archive[];
  /** From the record number `from` on, or from the next one that is there; from the first on where it isn't given. */
  lines(from?: number): Generator<BookLine>;
  /** From the last record back to the first. */
  linesBackwards(): Generator<BookLine>;
}

/** Runs `action` on the log at `path`; null where there is neither a current file nor an archive. Throws ERR_AUDIT_UNSAFE for anything but regular files. */
export async function withBook<T>(
  path: string,
  action: (book: LogBook) => T | Promise<T>,
): Promise<T | null> {
  for (;;) {
    const archives = listArchives(dirname(path));
    const fd = openForReading(path);
    try {
      // A rotation in between would show the file that was just opened twice, or not at all.
      if (!sameNames(archives, listArchives(dirname(path)))) continue;
      if (fd === null && archives.length === 0) return null;
      const book = bookOf(path, fd === null ? NOTHING : bytesOfFile(fd), archives);
      const isEmpty = archives.length > 0 && book.current.size() === 0;
      return await action(isEmpty ? { ...book, currentMissing: !isBetweenRenames(path) } : book);
    } finally {
      if (fd !== null) closeSync(fd);
    }
  }
}

/** The log whose current file is open already, as under its lock. */
export function bookOf(path: string, current: LogBytes, archives = listArchives(dirname(path))): LogBook {
  const folder = dirname(path);
  return {
    path,
    current,
    currentMissing: false,
    archives,
    *lines(from = 1) {
      const wanted = from === 1 ? archives : archives.filter(({ last }) => last >= from);
      for (const archive of wanted) {
        const start = archive.first < from ? from : 1;
        yield* withArchive(folder, archive, (bytes) => named(archive.name, linesFrom(bytes, start)));
      }
      yield* named(basename(path), linesFrom(current, wanted.length === 0 ? from : 1));
    },
    *linesBackwards() {
      yield* named(basename(path), readLinesBackwards(current));
      for (const archive of archives.toReversed())
        yield* withArchive(folder, archive, (bytes) => named(archive.name, readLinesBackwards(bytes)));
    },
  };
}

/** Looks from the end of the file: who asks for a start has nearly always read what is before it. */
function linesFrom(bytes: LogBytes, from: number): Generator<LogLine> {
  if (from === 1) return readLines(bytes);
  for (const line of readLinesBackwards(bytes)) {
    if (line.ended && (readSeq(line.bytes) ?? from) < from) return readLines(bytes, line.next);
  }
  return readLines(bytes);
}

const NOTHING = bytesOfBuffer(Buffer.alloc(0));

function* named(file: string, lines: Generator<LogLine>): Generator<BookLine> {
  for (const line of lines) yield { ...line, file };
}

/** Compressing an archive changes its name, but nothing that is in it. */
function sameNames(before: readonly Archive[], after: readonly Archive[]): boolean {
  return before.length === after.length && before.every(({ first }, at) => first === after[at]?.first);
}
