/**
 * Whether an object of a repository is small, told before it is read whole: the library inflates whatever it is given, and
 * a blob of a few hundred kilobytes may have been a file of hundreds of megabytes.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync, constants as zlib } from 'node:zlib';
import { namesIn } from '../../base/names-in.ts';
import { systemErrorCode } from '../../errors.ts';
import { GitFault } from './read-file.ts';

export class TooLarge extends GitFault {}

/**
 * Throws TooLarge where the object has more than `maxBytes`, or is made from one that has sixteen times as much. Nothing is
 * inflated further than that. What is missing, damaged or not understood is left to whoever reads it.
 */
export function assertSmall(oid: string, gitDir: string, maxBytes: number): void {
  let place = find(oid, gitDir);
  let limit = maxBytes;
  for (let depth = 0; place !== null && depth <= DEEPEST; depth++) {
    const entry = readEntry(place, limit);
    if (entry === null) return;
    const { bytes, base } = entry;
    const isSmall = bytes !== null && (base === null || resultSize(bytes) <= limit);
    if (!isSmall) throw new TooLarge(`larger than ${maxBytes} bytes`);
    if (base === null) return;
    place = typeof base === 'string' ? find(base, gitDir) : { ...place, offset: base };
    limit = maxBytes * 16;
  }
}

/** git's own limit of a chain of deltas (`pack.depth`). */
const DEEPEST = 4095;

/** Where the object begins: at 0 in a file of its own. */
interface Place {
  readonly path: string;
  readonly offset: number;
  readonly packed: boolean;
}

/** Loose objects come before packed ones, as with the library. */
function find(oid: string, gitDir: string): Place | null {
  const objects = join(gitDir, 'objects');
  const path = join(objects, oid.slice(0, 2), oid.slice(2));
  if (readAt(path, 0, 1) !== null) return { path, offset: 0, packed: false };
  const folder = join(objects, 'pack');
  for (const name of namesIn(folder)) {
    if (!name.endsWith('.idx')) continue;
    const offset = offsetIn(join(folder, name), oid);
    if (offset !== null) return { path: join(folder, name.replace(/idx$/, 'pack')), offset, packed: true };
  }
  return null;
}

/** Of an index of version 2 (gitformat-pack(5)): magic number and version, 256 counts, then names, checksums, offsets. */
function offsetIn(path: string, oid: string): number | null {
  const head = readAt(path, 0, NAMES_AT);
  if (head?.length !== NAMES_AT || head.readUInt32BE(0) !== 0xff744f63 || head.readUInt32BE(4) !== 2)
    return null;
  const countTo = (byte: number) => (byte < 0 ? 0 : head.readUInt32BE(8 + 4 * byte));
  const first = Number.parseInt(oid.slice(0, 2), 16);
  const [start, end] = [countTo(first - 1), countTo(first)];
  const names = readAt(path, NAMES_AT + 20 * start, Math.max(0, 20 * (end - start)));
  const name = Buffer.from(oid, 'hex');
  for (let at = 0; names !== null && at + 20 <= names.length; at += 20) {
    if (name.compare(names, at, at + 20) !== 0) continue;
    const offset = readAt(path, NAMES_AT + 24 * countTo(255) + 4 * (start + at / 20), 4);
    return offset?.length === 4 ? offset.readUInt32BE(0) : null;
  }
  return null;
}

const NAMES_AT = 8 + 4 * 256;

interface Entry {
  /** What it inflates to; null where that is more than the limit. */
  readonly bytes: Buffer | null;
  /** Where it holds changes: the name, or the offset in the same pack, of what they are made to. */
  readonly base: string | number | null;
}

/** Null for what can't be understood. */
function readEntry({ path, offset, packed }: Place, limit: number): Entry | null {
  // What can't be compressed takes 5 bytes more for each 16 kB.
  const part = readAt(path, offset, limit + limit / 1024 + 4096);
  if (part === null) return null;
  if (!packed) return inflated(part, limit + LOOSE_HEAD, null);
  let at = 0;
  const next = () => part[at++] ?? 0;
  const kind = (part[0] ?? 0) & 0x70;
  while (next() & 0x80);
  if (kind === OFFSET_DELTA) {
    let byte = next();
    let distance = byte & 0x7f;
    while (byte & 0x80 && at < part.length) {
      byte = next();
      distance = (distance + 1) * 0x80 + (byte & 0x7f);
    }
    return distance > 0 && distance < offset ? inflated(part.subarray(at), limit, offset - distance) : null;
  }
  const base = kind === NAME_DELTA ? part.toString('hex', at, at + 20) : null;
  return inflated(part.subarray(base === null ? at : at + 20), limit, base);
}

/** `blob`, a blank, the size, NUL. */
const LOOSE_HEAD = 32;
const OFFSET_DELTA = 0x60;
const NAME_DELTA = 0x70;

function inflated(part: Buffer, maxOutputLength: number, base: Entry['base']): Entry | null {
  try {
    return { bytes: inflateSync(part, { maxOutputLength, finishFlush: zlib.Z_SYNC_FLUSH }), base };
  } catch (error) {
    return systemErrorCode(error) === 'ERR_BUFFER_TOO_LARGE' ? { bytes: null, base } : null;
  }
}

/** The second number of a delta; the first is the size of what it is made to. */
function resultSize(delta: Buffer): number {
  let at = 0;
  while ((delta[at++] ?? 0) & 0x80);
  let size = 0;
  for (let place = 1; ; place *= 0x80) {
    const byte = delta[at++] ?? 0;
    size += (byte & 0x7f) * place;
    if ((byte & 0x80) === 0) return size;
  }
}

/** At most so many bytes of a regular file from an offset on; null where there is none. */
function readAt(path: string, offset: number, length: number): Buffer | null {
  let fd: number | null = null;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stat = fstatSync(fd);
    if (!stat.isFile()) return null;
    const bytes = Buffer.alloc(Math.max(0, Math.min(Math.ceil(length), stat.size - offset)));
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, offset));
  } catch {
    return null;
  } finally {
    if (fd !== null) closeSync(fd);
  }
}
