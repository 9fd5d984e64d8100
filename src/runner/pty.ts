/** A pseudo-terminal between the child and the real terminal, so that what the child writes can be masked. */
import { closeSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ReadStream } from 'node:tty';
import type { Channel } from './channel.ts';
import { type PatientSource, patientSource } from './patient-source.ts';
import { createQueueSink } from './sink-queue.ts';
import { beforeReader, fromReadable, type Source } from './source.ts';
import { undoOnlcr } from './undo-onlcr.ts';
import type { WindowSize } from './window.ts';

/** The two calls of the package's binary that are needed: openpty(3), and TIOCSWINSZ of ioctl_tty(2). */
interface PtyBinary {
  open(
    columns: number,
    rows: number,
  ): { readonly master: number; readonly slave: number; readonly pty: string };
  resize(master: number, columns: number, rows: number): void;
}

export interface PtyChannel extends Channel {
  /** The name of the child's side. */
  readonly path: string;
  /** Sets the size that the child sees; without effect once the output is over. */
  resize(size: WindowSize): void;
  /** To be called when there is other output of the child's, before that goes on: a prompt may be among it. */
  prompted(): void;
  /** Types on it. */
  type(keys: Buffer): void;
  /** The real terminal is gone: this one is as well, and the kernel tells those who have it. */
  hangUp(): void;
}

/** What moves the cursor down on a terminal that would add a CR to a LF: IND of ECMA-48. */
const INDEX = Buffer.from('\x1bD');

/** What is told of the child's own controlling terminal. */
export interface OwnTerminalWatch {
  /** All that comes from it, echoes included. */
  readonly onOutput: (chunk: Uint8Array) => void;
  /** See `PatientOptions`. */
  readonly onLook: (isOpen: boolean, isPrompted: boolean) => void;
}

/**
 * Opens one; null where the optional package with the binary is not there, or does not fit this machine. With `own` it is
 * to be the child's controlling terminal, which can be opened by name as long as the child is there; `isOpen` says whether
 * one of the child's standard descriptors is on it, `flags` how those are to be opened. Null also where it can't be opened by
 * its name, as the child would have to.
 */
export function openPty(
  { columns, rows }: WindowSize,
  own: (OwnTerminalWatch & { readonly isOpen: boolean; readonly flags: number }) | null = null,
): PtyChannel | null {
  const binary = loadBinary();
  if (binary === null) return null;
  const { master, slave: first, pty } = binary.open(columns, rows);
  const slave = own === null ? first : openAgain(first, pty, own.flags);
  if (slave === null) {
    closeSync(master);
    return null;
  }
  // What is left to be typed must not end up in another file that gets the same number.
  const keys = createQueueSink(master);
  let source: Source | null = null;
  let patient: PatientSource | null = null;
  return {
    path: pty,
    stdio: slave,
    inherited: [master, slave],
    open(child, _index, onEof) {
      closeSync(slave);
      if (own === null) {
        const stream = new ReadStream(master);
        stream.on('close', keys.stop);
        source = fromReadable(stream, onEof, () => readRest(master));
        return source;
      }
      patient = patientSource({ ...own, master, onEof, onClose: keys.stop });
      child.once('exit', patient.childEnded);
      source = beforeReader(patient, own.onOutput);
      return source;
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
    toTarget: (target) => undoOnlcr(target, INDEX),
    prompted: () => patient?.prompted(),
    type(bytes) {
      keys.write(bytes);
      patient?.typed();
    },
    hangUp: () => source?.close(),
  };
}

function openAgain(first: number, path: string, flags: number): number | null {
  try {
    return openSync(path, flags);
  } catch {
    return null;
  } finally {
    closeSync(first);
  }
}

/**
 * Node takes a hang-up for the end as soon as a read has not filled its buffer (libuv, uv__stream_io). That holds for
 * pipes; a terminal hands out what it has in pieces, and the last ones would be lost.
 */
function readRest(master: number): Uint8Array | null {
  const memory = Buffer.allocUnsafe(4096);
  try {
    const length = readSync(master, memory);
    return length === 0 ? null : memory.subarray(0, length);
  } catch {
    return null; // EIO: nothing is left, and nobody is there to write more
  }
}

/** The optional package for this machine. */
export const PTY_PACKAGE = `@lydell/node-pty-${process.platform}-${process.arch}`;

export function hasPtyBinary(): boolean {
  return loadBinary() !== null;
}

let loaded: PtyBinary | null | undefined;

function loadBinary(): PtyBinary | null {
  if (loaded !== undefined) return loaded;
  try {
    loaded = createRequire(import.meta.url)(`${PTY_PACKAGE}/pty.node`) as PtyBinary;
  } catch {
    loaded = null;
  }
  return loaded;
}
