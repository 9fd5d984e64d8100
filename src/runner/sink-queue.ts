/** A queue in front of a descriptor, for what can't be written to without waiting: terminals, sockets, devices. */
import { write } from 'node:fs';
import { systemErrorCode } from '../errors.ts';
import type { Sink } from './sink.ts';

/**
 * The writes run in Node's thread pool: `process.stdout` would make a shared descriptor non-blocking, which the other
 * processes that write to it (make, a script) take for an error. Of two buffers one is filled while the other is
 * written.
 */
export function createQueueSink(fd: number): Sink & { stop(): void } {
  let filling = Buffer.allocUnsafeSlow(FIRST_SIZE);
  let writing = Buffer.allocUnsafeSlow(FIRST_SIZE);
  let filled = 0;
  let at = 0;
  let end = 0;
  let busy = false;
  let full = false;
  let error: string | null = null;
  let waiting: (() => void)[] = [];
  let retry: NodeJS.Timeout | undefined;

  function next(): void {
    if (at === end && filled === 0) {
      idle();
      return;
    }
    if (at === end) {
      [filling, writing] = [writing, filling];
      [at, end, filled] = [0, filled, 0];
    }
    busy = true;
    write(fd, writing, at, end - at, null, (fault, count) => {
      const code = fault === null ? null : (systemErrorCode(fault) ?? 'EIO');
      // Somebody else made the descriptor non-blocking, and the reader is slow.
      if (error !== null) return;
      if (code === 'EAGAIN') retry = setTimeout(next, RETRY_MS);
      else if (code !== null) broken(code);
      else wrote(count);
    });
    if (full && filled < FULL) {
      full = false;
      queueMicrotask(() => sink.onRoom());
    }
  }

  function wrote(count: number): void {
    at += count;
    next();
  }

  function broken(code: string): void {
    error = code;
    filled = 0;
    at = end;
    idle();
    sink.onBroken();
  }

  function idle(): void {
    busy = false;
    for (const resolve of waiting) resolve();
    waiting = [];
  }

  const sink = {
    write(data: Buffer) {
      if (error !== null || data.length === 0) return true;
      if (filled + data.length > filling.length) filling = enlarged(filling, filled, data.length);
      filling.set(data, filled);
      filled += data.length;
      if (!busy) next();
      full = filled >= FULL;
      return !full;
    },
    onRoom: () => {},
    onBroken: () => {},
    /** Drops what is queued, and writes no more: the descriptor is about to be closed. */
    stop() {
      clearTimeout(retry);
      error ??= 'EBADF';
      [filled, at] = [0, end];
      idle();
    },
    async written() {
      if (busy) await new Promise<void>((resolve) => waiting.push(resolve));
      return error !== null && READER_GONE.has(error) ? null : error;
    },
  };
  return sink;
}

/** A write that waits meets a reset where the other end of a socket is closed with bytes unread. */
const READER_GONE: ReadonlySet<string> = new Set(['EPIPE', 'ECONNRESET']);

/** A terminal seldom needs more; whatever does makes it larger. */
const FIRST_SIZE = 16 * 1024;
const FULL = 128 * 1024;
const RETRY_MS = 5;

function enlarged(buffer: Uint8Array, filled: number, more: number) {
  const larger = Buffer.allocUnsafeSlow(2 * (filled + more));
  larger.set(buffer.subarray(0, filled));
  return larger;
}
