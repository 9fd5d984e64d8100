/**
 * A pseudo-terminal that carries one output of the child. It is not the child's controlling terminal: that stays the
 * real one, with its keyboard and job control.
 */
import { closeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ReadStream } from 'node:tty';
import type { Channel } from './channel.ts';
import { fromReadable } from './source.ts';
import { undoOnlcr } from './undo-onlcr.ts';
import type { WindowSize } from './window.ts';

/** The two calls of the package's binary that are needed: openpty(3), and TIOCSWINSZ of ioctl_tty(2). */
interface PtyBinary {
  open(columns: number, rows: number): { readonly master: number; readonly slave: number };
  resize(master: number, columns: number, rows: number): void;
}

export interface PtyChannel extends Channel {
  /** Sets the size that the child reads from this output; without effect once the output is over. */
  resize(size: WindowSize): void;
}

/** Opens one; null where the optional package with the binary is not there, or does not fit this machine. */
export function openPty({ columns, rows }: WindowSize): PtyChannel | null {
  const binary = loadBinary();
  if (binary === null) return null;
  const { master, slave } = binary.open(columns, rows);
  return {
    stdio: slave,
    open(_child, _index, onEof) {
      closeSync(slave);
      return undoOnlcr(fromReadable(new ReadStream(master), onEof));
    },
    discard() {
      closeSync(slave);
      closeSync(master);
    },
    resize(size) {
      try {
        binary.resize(master, size.columns, size.rows);
      } catch {
        // closed, since the child is through with it
      }
    },
  };
}

let loaded: PtyBinary | null | undefined;

function loadBinary(): PtyBinary | null {
  if (loaded !== undefined) return loaded;
  try {
    const name = `@lydell/node-pty-${process.platform}-${process.arch}/pty.node`;
    loaded = createRequire(import.meta.url)(name) as PtyBinary;
  } catch {
    loaded = null;
  }
  return loaded;
}
