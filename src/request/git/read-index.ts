/** git's index: what is staged (gitformat-index(5)), versions 2 to 4. */
import { createHash } from 'node:crypto';
import { GitFault } from './read-file.ts';

/** One staged path. */
export interface IndexEntry {
  /** File type and permission bits as git keeps them: `0o100644`, `0o100755`, `0o120000`, `0o160000`. */
  readonly mode: number;
  readonly oid: string;
  /** 0, or 1 to 3 while a merge is unresolved. */
  readonly stage: number;
  /** True where a sparse checkout leaves the file out. */
  readonly skipWorktree: boolean;
  /** True after `git add -N`: named, but nothing staged yet. */
  readonly intentToAdd: boolean;
  readonly path: string;
}

/** All entries in order. Throws a GitFault for a version, an extension or bytes that can't be read (SHA-1 only). */
export function parseIndex(bytes: Buffer): IndexEntry[] {
  if (bytes.length < HEADER + TRAILER || bytes.toString('latin1', 0, 4) !== 'DIRC') throw broken();
  const version = bytes.readUInt32BE(4);
  if (version < 2 || version > 4) throw new GitFault(`the index has version ${version}, which is not read`);
  const body = bytes.subarray(0, -TRAILER);
  const sum = bytes.subarray(-TRAILER);
  // All zeros means index.skipHash: written without a checksum.
  if (sum.some((byte) => byte !== 0) && !createHash('sha1').update(body).digest().equals(sum)) throw broken();
  const entries: IndexEntry[] = [];
  let at = HEADER;
  let previous = Buffer.alloc(0);
  for (let left = bytes.readUInt32BE(8); left > 0; left--) {
    const read = readEntry(body, at, version, previous);
    entries.push(read.entry);
    previous = read.path;
    at = read.next;
  }
  refuseSplitOrSparse(body, at);
  return entries;
}

const HEADER = 12;
const TRAILER = 20;
/** Stat data, mode and owner come before the hash; flags after it. */
const OID_AT = 40;
const FLAGS_AT = 60;
const EXTENDED = 0x4000;

interface ReadEntry {
  readonly entry: IndexEntry;
  readonly path: Buffer<ArrayBuffer>;
  readonly next: number;
}

function readEntry(body: Buffer, at: number, version: number, previous: Buffer<ArrayBuffer>): ReadEntry {
  if (at + FLAGS_AT + 4 > body.length) throw broken();
  const flags = body.readUInt16BE(at + FLAGS_AT);
  const extended = (flags & EXTENDED) !== 0;
  const more = extended ? body.readUInt16BE(at + FLAGS_AT + 2) : 0;
  let nameAt = at + FLAGS_AT + (extended ? 4 : 2);
  let kept = 0;
  if (version === 4) {
    const strip = readOffset(body, nameAt);
    kept = previous.length - strip.value;
    nameAt = strip.next;
    if (kept < 0) throw broken();
  }
  const end = body.indexOf(0, nameAt);
  if (end < 0) throw broken();
  const path = Buffer.concat([previous.subarray(0, kept), body.subarray(nameAt, end)]);
  const text = path.toString('utf8');
  if (text.includes('\uFFFD'))
    throw new GitFault('the index names a file that is not UTF-8, which is not read');
  // Versions 2 and 3 pad each entry with one to eight NULs to a multiple of eight bytes.
  const next = version === 4 ? end + 1 : at + Math.ceil((end + 1 - at) / 8) * 8;
  return {
    entry: {
      mode: body.readUInt32BE(at + 24),
      oid: body.toString('hex', at + OID_AT, at + FLAGS_AT),
      stage: (flags >> 12) & 3,
      skipWorktree: (more & 0x4000) !== 0,
      intentToAdd: (more & 0x2000) !== 0,
      path: text,
    },
    path,
    next,
  };
}

/** The variable-width integer of version 4 paths (the one of ofs-delta packs). */
function readOffset(body: Buffer, start: number): { value: number; next: number } {
  let at = start;
  let byte = body[at++] ?? 0;
  let value = byte & 0x7f;
  while (byte & 0x80) {
    byte = body[at++] ?? 0;
    value = (value + 1) * 128 + (byte & 0x7f);
    if (value > body.length) throw broken();
  }
  return { value, next: at };
}

/** Extensions whose name starts in lower case change what the entries mean: `link` (split index), `sdir` (sparse index). */
function refuseSplitOrSparse(body: Buffer, start: number): void {
  for (let at = start; at + 8 <= body.length; at += 8 + body.readUInt32BE(at + 4)) {
    const name = body.toString('latin1', at, at + 4);
    if (name[0] !== name[0]?.toUpperCase())
      throw new GitFault(`the index has the extension "${name}", which is not read`);
  }
}

function broken(): GitFault {
  return new GitFault('the index is damaged');
}
