/**
 * The archives of a log: `audit-<first>-<last>.jsonl`, named by the `seq` of their first and last record, as they are or
 * compressed with gzip. Names only give the order; whether one follows the other is for the chain to say.
 */
import { closeSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { shellQuote } from '../../base/shell-quote.ts';
import { CapwrapError, systemErrorCode } from '../../errors.ts';
import { bytesOfFile, type LogBytes } from './bytes.ts';
import { bytesOfGzip } from './gzip-bytes.ts';
import { openForReading } from './open-log.ts';

export interface Archive {
  /** Name in the folder of the log. */
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly compressed: boolean;
}

export function archiveName(first: number, last: number): string {
  const digits = (seq: number) => String(seq).padStart(12, '0');
  return `audit-${digits(first)}-${digits(last)}.jsonl`;
}

/** Oldest first. Of an archive that is there both ways, while it is being compressed, the plain one. */
export function listArchives(folder: string): readonly Archive[] {
  const found = new Map<string, Archive>();
  for (const name of namesIn(folder)) {
    const match = /^audit-(\d{12})-(\d{12})\.jsonl(\.gz)?$/.exec(name);
    if (!match) continue;
    const [, first = '', last = '', suffix] = match;
    const archive = { name, first: Number(first), last: Number(last), compressed: suffix !== undefined };
    if (!archive.compressed || !found.has(`${first}-${last}`)) found.set(`${first}-${last}`, archive);
  }
  return [...found.values()].sort((a, b) => a.first - b.first || a.last - b.last);
}

/**
 * What `action` yields of the bytes of an archive; one that was compressed since it was listed is found under its new name,
 * and of one that retention has taken since then there is nothing. Throws ERR_AUDIT_UNSAFE for what can't be read, is
 * damaged, or is gone from the middle of the log.
 */
export function* withArchive<T>(
  folder: string,
  archive: Archive,
  action: (bytes: LogBytes) => Generator<T>,
): Generator<T> {
  const plain = archive.name.replace(/\.gz$/, '');
  for (const name of [archive.name, archive.compressed ? plain : `${plain}.gz`]) {
    const path = join(folder, name);
    const fd = openForReading(path);
    if (fd === null) continue;
    try {
      yield* name.endsWith('.gz') ? inflated(path, fd, action) : action(bytesOfFile(fd));
      return;
    } finally {
      closeSync(fd);
    }
  }
  const [oldest] = listArchives(folder);
  if (oldest === undefined || oldest.first > archive.first) return;
  throw new CapwrapError(
    'ERR_AUDIT_UNSAFE',
    `"${join(folder, archive.name)}" was removed while it was to be read`,
    {
      hint: `try again; ls -l ${shellQuote(folder)}`,
    },
  );
}

/** So that no archive keeps a command busy for ever: rotation keeps them far below this. */
export const LARGEST_INFLATED = 1024 ** 3;

function* inflated<T>(path: string, fd: number, action: (bytes: LogBytes) => Generator<T>): Generator<T> {
  const unsafe = (why: string, command: string) =>
    new CapwrapError('ERR_AUDIT_UNSAFE', `"${path}" ${why}`, { hint: `${command} ${shellQuote(path)}` });
  const bytes = bytesOfGzip(bytesOfFile(fd).read, {
    most: LARGEST_INFLATED,
    tooLarge: () => unsafe('is too large', 'gunzip'),
  });
  try {
    // Of one that is damaged, or too large, nothing is given out.
    bytes.size();
    yield* action(bytes);
  } catch (error) {
    throw systemErrorCode(error)?.startsWith('Z_') ? unsafe('is damaged', 'gzip -t') : error;
  } finally {
    bytes.close();
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw new CapwrapError('ERR_AUDIT_UNSAFE', `"${folder}" can't be read (${systemErrorCode(error)})`, {
      hint: `ls -ld ${shellQuote(folder)}`,
      cause: error,
    });
  }
}
