/** Writes to a pipe that doesn't make its writer wait. */
import { writeSync, writevSync } from 'node:fs';
import { Socket } from 'node:net';
import { systemErrorCode } from '../errors.ts';
import type { Sink } from './sink.ts';

/**
 * A pipe, opened anew for this sink: what fits into it is written at once. What doesn't is tried again together with the
 * next piece, which comes about when a reader that keeps up has made room. Where none comes in the same turn, Node waits
 * for room; its streams cost as much as the masking, and so does each wait.
 */
export function createPipeSink(fd: number): Sink {
  const socket = new Socket({ fd, readable: false, writable: true });
  let error: string | null = null;
  let rest: Uint8Array[] = [];
  /** Whether somebody was told that there is a rest. */
  let told = false;
  let given = 0; // pieces of the rest that Node has
  let isAsked = false;
  let waiting: (() => void)[] = [];

  function tryNow(): void {
    rest = without(rest, writtenAtOnce(fd, rest));
    if (rest.length === 0) empty();
    else askForRoom();
  }

  function empty(): void {
    settle();
    if (!told) return;
    told = false;
    sink.onRoom();
  }

  function askForRoom(): void {
    if (!isAsked) setImmediate(handOver);
    isAsked = true;
  }

  function handOver(): void {
    isAsked = false;
    if (error !== null || rest.length === 0) return;
    given = rest.length;
    socket.cork();
    for (const [index, piece] of rest.entries()) socket.write(piece, index === given - 1 ? taken : undefined);
    socket.uncork();
  }

  function taken(fault?: Error | null): void {
    if (fault) return;
    rest.splice(0, given);
    given = 0;
    if (rest.length === 0) empty();
    else tryNow();
  }

  function settle(): void {
    for (const resolve of waiting) resolve();
    waiting = [];
  }

  socket.on('error', (fault) => {
    error = systemErrorCode(fault) ?? 'EIO';
    rest = [];
    settle();
    sink.onBroken();
  });
  const sink: Sink = {
    write(data) {
      if (error !== null || data.length === 0) return true;
      rest.push(data);
      if (given === 0) tryNow();
      told ||= rest.length > 0;
      return rest.length === 0;
    },
    onRoom: () => {},
    onBroken: () => {},
    async written() {
      if (rest.length > 0) await new Promise<void>((resolve) => waiting.push(resolve));
      return error === 'EPIPE' ? null : error;
    },
  };
  return sink;
}

/** How many bytes a pipe takes without waiting; 0 also where it takes none any more: the socket tells. */
function writtenAtOnce(fd: number, pieces: readonly Uint8Array[]): number {
  const [first] = pieces;
  try {
    return pieces.length === 1 && first ? writeSync(fd, first) : writevSync(fd, pieces);
  } catch {
    return 0;
  }
}

/** What is left of the pieces behind the first `count` bytes. */
function without(pieces: Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  let index = 0;
  for (; index < pieces.length && left >= (pieces[index] as Uint8Array).length; index++) {
    left -= (pieces[index] as Uint8Array).length;
  }
  const [cut, ...others] = pieces.slice(index);
  return cut === undefined ? [] : [cut.subarray(left), ...others];
}
