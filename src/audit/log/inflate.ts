/**
 * Gzip, inflated piece by piece while the caller waits: the log is read synchronously, and what stands in an archive may
 * have been made to inflate to anything.
 *
 * Node's documented calls inflate either a whole buffer or a stream with events. In between there is `_processChunk`, kept
 * "for backwards compatibility", on which the libraries for synchronous gzip stand that npm itself is built on. It ends the
 * stream behind each call, which is what `kept` undoes. The one of them that is kept up (minizlib) would be no firmer
 * ground: it makes the same call, puts a stream with events around it, and meanwhile replaces `Buffer.concat` for all.
 */
import { constants, createGunzip, type Gunzip } from 'node:zlib';

export interface Inflater {
  /** The next bytes that come out, none of them twice; null behind the last. Throws the error of zlib for what is damaged. */
  next(): Buffer | null;
  close(): void;
}

/** Gives at most so many compressed bytes from an offset on; none at the end. */
export type ReadPart = (offset: number, length: number) => Buffer;

export function inflater(read: ReadPart): Inflater {
  const gunzip = createGunzip({ chunkSize: OUT }) as SyncGunzip;
  const { _handle: handle } = gunzip;
  const close = handle.close.bind(handle);
  const kept = (input: Buffer, flush: number): Buffer => {
    handle.close = () => {};
    try {
      // What it returns may lie where the next output goes.
      return Buffer.from(gunzip._processChunk(input, flush));
    } finally {
      handle.close = close;
      gunzip._handle = handle;
      // Each call leaves a listener; without one, an error would be thrown once more, at nobody.
      gunzip.removeAllListeners('error').on('error', () => {});
    }
  };
  let offset = 0;
  let ended = false;
  return {
    next() {
      while (!ended) {
        const input = read(offset, IN);
        offset += input.length;
        ended = input.length === 0;
        // At its end, what is incomplete is an error.
        const output = kept(input, ended ? constants.Z_FINISH : constants.Z_SYNC_FLUSH);
        if (output.length > 0) return output;
      }
      return null;
    },
    close,
  };
}

/** Deflate makes at most 1032 times as much of it: 16 MiB in one piece. */
const IN = 16 * 1024;
const OUT = 256 * 1024;

interface SyncGunzip extends Gunzip {
  _handle: { close(): void };
  _processChunk(input: Buffer, flush: number): Buffer;
}
