/** Where the masked output goes: a descriptor of capwrap's own, written to without ever blocking the event loop. */
import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { systemErrorCode } from '../errors.ts';
import { createQueueSink } from './sink-queue.ts';

export interface Sink {
  /**
   * Takes all of `data`, always. After true its memory may be used again; after false that is so once `onRoom` was
   * called, and the source should pause until then.
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

/**
 * A pipe, opened anew: what fits into it is written at once, the rest when there is room. The first attempt goes past
 * Node's streams, which cost as much as the masking.
 */
function createPipeSink(fd: number): Sink {
  const socket = new Socket({ fd, readable: false, writable: true });
  let error: string | null = null;
  let full = false;
  let waiting: (() => void)[] = [];

  function settle(): void {
    for (const resolve of waiting) resolve();
    waiting = [];
  }
  function taken(): void {
    if (socket.writableLength > 0) return;
    if (full) {
      full = false;
      sink.onRoom();
    }
    if (socket.writableLength === 0) settle();
  }

  socket.on('error', (fault) => {
    error = systemErrorCode(fault) ?? 'EIO';
    settle();
    sink.onBroken();
  });
  const sink: Sink = {
    write(data) {
      if (error !== null || data.length === 0) return true;
      const done = socket.writableLength === 0 ? writtenAtOnce(fd, data) : 0;
      if (done === data.length) return true;
      socket.write(data.subarray(done), taken);
      full ||= socket.writableLength > 0;
      return !full;
    },
    onRoom: () => {},
    onBroken: () => {},
    async written() {
      if (error === null && socket.writableLength > 0) {
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      return error === 'EPIPE' ? null : error;
    },
  };
  return sink;
}

/** How many bytes a pipe takes without waiting; 0 also where it takes none any more: the socket tells. */
function writtenAtOnce(fd: number, data: Buffer): number {
  try {
    return writeSync(fd, data);
  } catch {
    return 0;
  }
}

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
