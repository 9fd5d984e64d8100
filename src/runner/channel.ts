/** The way from one output of the child to capwrap: the end that the child gets, and the one that is read. */
import type { ChildProcess, StdioNull, StdioPipe } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Launch } from '../base/launch.ts';
import type { Sink } from './sink.ts';
import { fromPipe, fromReadable, type Source } from './source.ts';

export interface Channel {
  /** What the child's descriptor is to be, as `spawn` takes it. */
  readonly stdio: number | StdioPipe | StdioNull;
  /**
   * To be called once after the spawn: capwrap's copy of the child's end is closed, and what comes can be read.
   * `onEof` is called in the very turn in which the last of the child's ends is closed.
   */
  open(child: ChildProcess, index: 1 | 2, onEof: () => void): Source;
  /** Descriptors that the child would get as well: they are not closed on exec, and Node can't have it so. */
  readonly inherited?: readonly number[];
  /** What the output must go through, behind the masker, on its way to capwrap's descriptor. */
  toTarget?(target: Sink): Sink;
  /** Instead of `open`, where no child was started. */
  discard(): void;
}

/**
 * A pipe of the launcher's, where there is one left: the child's scripts can open it by name (`> /dev/stderr`), and who
 * writes to it after its reader is gone gets SIGPIPE. Otherwise Node's own, a pair of sockets, which lacks both.
 */
export function openPipe(launch: Launch, taken: Set<number>): Channel {
  for (const fd of launch.pipes) {
    if (taken.has(fd)) continue;
    taken.add(fd);
    const writeEnd = otherEnd(fd);
    if (writeEnd !== null) return realPipe(fd, writeEnd);
  }
  return {
    stdio: 'pipe',
    open: (child, index, onEof) => fromReadable(child.stdio[index] as Readable, onEof),
    discard: () => undefined,
  };
}

function realPipe(readEnd: number, writeEnd: number): Channel {
  return {
    stdio: writeEnd,
    open(_child, _index, onEof) {
      closeSync(writeEnd);
      return fromPipe(readEnd, onEof);
    },
    discard() {
      closeSync(writeEnd);
    },
  };
}

/** The write end of the pipe that `fd` reads from; null where `fd` isn't the launcher's pipe, or there is no /proc. */
function otherEnd(fd: number): number | null {
  try {
    if (!fstatSync(fd).isFIFO()) return null;
    const writeEnd = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY);
    const mark = Buffer.alloc(32);
    const length = readSync(fd, mark);
    if (mark.toString('latin1', 0, length) === `${process.pid}\n`) return writeEnd;
    closeSync(writeEnd);
    return null;
  } catch {
    return null;
  }
}
