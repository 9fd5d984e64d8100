/** Where the masked output goes: a descriptor of capwrap's own, written to without ever blocking the event loop. */
import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { systemErrorCode } from '../errors.ts';
import { createPipeSink } from './sink-pipe.ts';
import { createQueueSink } from './sink-queue.ts';

export interface Sink {
  /**
   * Takes all of `data`, always. After true its memory may be used again; after false that is so once `onRoom` was
   * called, which may be within a later call of this. The source should pause soon.
   */
  write(data: Buffer): boolean;
  /** Called when there is room again. */
  onRoom: () => void;
  /** Called when the reader is gone or the write failed; later bytes are dropped. */
  onBroken: () => void;
  /**
   * Resolves when everything taken is written: null, or the code of the error that cut it short. A reader that went
   * away is no error.
   */
  written(): Promise<string | null>;
}

/** The fastest way to write to what `fd` is, without changing it for the other processes that have it. */
export function createSink(fd: number): Sink {
  try {
    const stat = fstatSync(fd);
    if (stat.isFIFO()) return createPipeSink(openSync(`/proc/self/fd/${fd}`, PIPE_FLAGS));
    if (stat.isFile()) return createFileSink(fd);
  } catch {
    // no /proc, or a pipe of another user's
  }
  return createQueueSink(fd);
}

/** Without O_NONBLOCK, opening would wait for a reader; the flag is this opening's alone. */
const PIPE_FLAGS = constants.O_WRONLY | constants.O_NONBLOCK;

/** A regular file takes what it is given at once, as far as the disk has room. */
function createFileSink(fd: number): Sink {
  let error: string | null = null;
  const sink: Sink = {
    write(data) {
      for (let at = 0; error === null && at < data.length; ) {
        try {
          at += writeSync(fd, data, at);
        } catch (fault) {
          error = systemErrorCode(fault) ?? 'EIO';
          sink.onBroken();
        }
      }
      return true;
    },
    onRoom: () => {},
    onBroken: () => {},
    written: async () => error,
  };
  return sink;
}
