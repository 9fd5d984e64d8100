/** A queue in front of a descriptor, for what can't be written to without waiting: terminals, sockets, devices. */
import { writev } from 'node:fs';
import { systemErrorCode } from '../errors.ts';
import type { Sink } from './sink.ts';

/**
 * The writes run in Node's thread pool: `process.stdout` would make a shared descriptor non-blocking, which the other
 * processes that write to it (make, a script) take for an error.
 */
export function createQueueSink(fd: number): Sink {
  let queue: Buffer[] = [];
  let queued = 0;
  let busy = false;
  let error: string | null = null;
  let waiting: (() => void)[] = [];

  function next(): void {
    if (queue.length === 0) {
      idle();
      return;
    }
    busy = true;
    const batch = queue;
    queue = [];
    writev(fd, batch, (fault, count) => {
      const code = fault === null ? null : (systemErrorCode(fault) ?? 'EIO');
      // Somebody else made the descriptor non-blocking, and the reader is slow.
      const wait = code === 'EAGAIN';
      if (code !== null && !wait) {
        broken(code);
        return;
      }
      const done = wait ? 0 : count;
      queue = [...withoutFirst(batch, done), ...queue];
      queued -= done;
      if (queued < ROOM) sink.onRoom();
      if (wait) setTimeout(next, RETRY_MS);
      else next();
    });
  }

  function broken(code: string): void {
    error = code;
    queue = [];
    queued = 0;
    idle();
    sink.onBroken();
  }

  function idle(): void {
    busy = false;
    for (const resolve of waiting) resolve();
    waiting = [];
  }

  const sink: Sink = {
    write(data) {
      if (error !== null || data.length === 0) return true;
      queue.push(Buffer.from(data)); // the caller uses its memory again
      queued += data.length;
      if (!busy) next();
      return queued < FULL;
    },
    onRoom: () => {},
    onBroken: () => {},
    async written() {
      if (busy) await new Promise<void>((resolve) => waiting.push(resolve));
      return error === 'EPIPE' ? null : error;
    },
  };
  return sink;
}

const FULL = 256 * 1024;
const ROOM = 128 * 1024;
const RETRY_MS = 5;

function withoutFirst(batch: readonly Buffer[], count: number): Buffer[] {
  const left: Buffer[] = [];
  let skip = count;
  for (const buffer of batch) {
    if (skip < buffer.length) left.push(buffer.subarray(skip));
    skip = Math.max(0, skip - buffer.length);
  }
  return left;
}
