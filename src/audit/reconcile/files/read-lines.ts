/** A file of events as lines, unpacked where it is compressed, in bounded memory. */
import { closeSync, constants, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip, type Gunzip } from 'node:zlib';
import { systemErrorCode } from '../../../errors.ts';

/** CloudTrail's own files are far smaller; one document is read as a whole. */
export const LONGEST_LINE = 64 * 1024 * 1024;

/** What a small file can be made to unpack to without end. */
const MOST_UNPACKED = 8 * 1024 ** 3;

/** Why a file, or the rest of it, could not be read, as the end of a sentence. */
export class Unreadable extends Error {}

/** Lines without their ends. Throws Unreadable; what came before holds. Never blocks on a FIFO. */
export async function* readLines(path: string): AsyncGenerator<Buffer> {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw new Unreadable(`can't be opened (${systemErrorCode(error) ?? 'unknown error'})`);
  }
  if (!fstatSync(fd).isFile()) {
    closeSync(fd);
    throw new Unreadable('is not a regular file');
  }
  const file = createReadStream('', { fd, start: 0, highWaterMark: 256 * 1024 });
  const size = fstatSync(fd).size;
  try {
    if (!isGzip(fd)) return yield* linesOf(file);
    const gunzip = unpacked(file);
    yield* linesOf(gunzip);
    // Behind a run of zeros Node takes whatever follows for padding.
    if (gunzip.bytesWritten < size) throw new Unreadable('is damaged: it goes on behind its end');
  } catch (error) {
    if (error instanceof Unreadable) throw error;
    const code = systemErrorCode(error) ?? 'unknown error';
    throw new Unreadable(code.startsWith('Z_') ? `is damaged (${code})` : `can't be read (${code})`);
  } finally {
    file.destroy();
  }
}

function isGzip(fd: number): boolean {
  const start = Buffer.alloc(2);
  readSync(fd, start, 0, 2, 0);
  return start[0] === 0x1f && start[1] === 0x8b;
}

function unpacked(file: Readable): Gunzip {
  const gunzip = createGunzip();
  file.once('error', (error) => gunzip.destroy(error));
  return file.pipe(gunzip);
}

async function* linesOf(stream: Readable): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let length = 0;
  let total = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    total += chunk.length;
    if (total > MOST_UNPACKED) throw new Unreadable('unpacks to more than 8 GiB');
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      yield Buffer.concat([...parts, chunk.subarray(from, end)]);
      parts = [];
      length = 0;
      from = end + 1;
    }
    parts.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > LONGEST_LINE) throw new Unreadable('has a line of more than 64 MiB');
  }
  if (length > 0) yield Buffer.concat(parts);
}

const NEWLINE = 0x0a;
