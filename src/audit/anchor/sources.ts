/** The texts that may hold heads: files of any size and kind, compressed with gzip or not, pipes, and standard input. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CapwrapError, systemErrorCode } from '../../errors.ts';

export interface AnchorSource {
  /** As the user named it. */
  readonly name: string;
  /** Absolute; null for standard input. */
  readonly path: string | null;
}

/** Its bytes, as they come. Throws ERR_USAGE where it can't be read, or is damaged as a gzip file. */
export async function* bytesOf({ name, path }: AnchorSource): AsyncGenerator<Buffer> {
  try {
    const file = path === null ? createReadStream('', { fd: 0, autoClose: false }) : createReadStream(path);
    const { start, all } = await peek(file);
    yield* start.equals(GZIP) ? inflated(all) : all;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    const why = code.startsWith('Z_') ? 'is damaged' : "can't be read";
    throw new CapwrapError('ERR_USAGE', `"${name}" ${why} (${code})`, {
      hint: 'capwrap audit verify --help',
      cause: error,
    });
  }
}

/** RFC 1952, section 2.3.1. */
const GZIP = Buffer.from([0x1f, 0x8b]);

/** The first two bytes, and all of them. */
async function peek(
  stream: Readable,
): Promise<{ readonly start: Buffer; readonly all: AsyncGenerator<Buffer> }> {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let first: Buffer = Buffer.alloc(0);
  while (first.length < GZIP.length) {
    const next = await chunks.next();
    if (next.done) break;
    first = Buffer.concat([first, next.value]);
  }
  return { start: first.subarray(0, GZIP.length), all: joined(first, chunks) };
}

async function* joined(first: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
}

function inflated(bytes: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const source = Readable.from(bytes);
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error));
  return source.pipe(gunzip);
}
