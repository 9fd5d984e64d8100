/**
 * Reads the child's controlling terminal for as long as there is a child. To the kernel such a terminal is through
 * whenever nobody has it open (EIO); it can be opened again by its name, `/dev/tty`, at any time.
 */
import { closeSync, readSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { systemErrorCode } from '../errors.ts';
import type { Reader, Source } from './source.ts';

export interface PatientOptions {
  /** capwrap's side of the terminal; closed together with the source. */
  readonly master: number;
  /** False where the child has it on none of its standard descriptors, so that nobody has it open at first. */
  readonly isOpen: boolean;
  /** Called when everybody has closed it, or where nobody had it open to begin with. */
  readonly onEof: () => void;
  /** Called at each look, with whether somebody may have the terminal open, and whether there is output of the child's. */
  readonly onLook: (isOpen: boolean, isPrompted: boolean) => void;
  readonly onClose: () => void;
}

export interface PatientSource extends Source {
  /** There is other output of the child's, which hasn't gone on yet. */
  prompted(): void;
  /** Something was typed on the terminal, which may answer. */
  typed(): void;
  /** From now on a terminal that nobody has open is through. */
  childEnded(): void;
}

/**
 * Node's streams tell of what comes in the moment it comes, and close the descriptor at the first EIO; this one is kept
 * from that. From then on it is looked at now and then, more often while there is output.
 */
export function patientSource(options: PatientOptions): PatientSource {
  const { master } = options;
  let reader: Reader | null = null;
  let closed = false;
  let paused = false;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  let wait = SOONEST_MS;

  const stream = options.isOpen ? new KeptStream(master, through) : null;

  function through(): void {
    options.onEof();
    look();
  }

  function close(): void {
    if (closed) return;
    closed = true;
    clearTimeout(timer);
    if (stream === null) closeSync(master);
    else stream.closeNow();
    options.onClose();
    reader?.onEnd();
  }

  /** What there is, and whether somebody has the terminal open. */
  function readAll(): { readonly chunks: readonly Uint8Array[]; readonly isOpen: boolean } {
    const chunks: Uint8Array[] = [];
    try {
      while (chunks.length < MOST_READS) {
        const memory = Buffer.allocUnsafe(READ_SIZE);
        const length = readSync(master, memory);
        if (length === 0) return { chunks, isOpen: false };
        chunks.push(memory.subarray(0, length));
      }
      return { chunks, isOpen: true };
    } catch (error) {
      return { chunks, isOpen: systemErrorCode(error) === 'EAGAIN' };
    }
  }

  function handOn(chunk: Uint8Array): void {
    if (reader?.onData(chunk, 0) === false) stream?.pause();
  }

  function look(isPrompted = false): void {
    if (closed || paused || reader === null || stream?.isKept === false) return;
    clearTimeout(timer);
    const { chunks, isOpen } = readAll();
    const hasWritten = chunks.length > 0;
    // Before the output: whoever reads a prompt is to find the keyboard ready.
    options.onLook(isOpen, hasWritten || isPrompted);
    if (hasWritten) paused = !reader.onData(Buffer.concat(chunks), 0);
    if (!isOpen && ended) {
      close();
      return;
    }
    wait = isOpen && hasWritten ? SOONEST_MS : Math.min(2 * wait, LATEST_MS);
    timer = setTimeout(() => look(), wait).unref();
  }

  function resume(): void {
    paused = false;
    if (stream?.isKept === false) stream.resume();
    else look();
  }

  return {
    start(given) {
      if (closed) {
        given.onEnd();
        return;
      }
      reader = given;
      if (stream === null) through();
      else stream.on('data', handOn);
    },
    taken: resume,
    resume,
    prompted() {
      if (stream === null || stream.isKept) {
        look(true);
        return;
      }
      // What came first goes first: nothing else keeps the order of two outputs.
      if (!stream.isPaused()) for (const chunk of readAll().chunks) handOn(chunk);
      options.onLook(true, true);
    },
    typed() {
      wait = SOONEST_MS;
      look();
    },
    childEnded() {
      ended = true;
      look();
    },
    close,
    get closed() {
      return closed;
    },
  };
}

const READ_SIZE = 16 * 1024;
/** So much is read in one go before others have their turn. */
const MOST_READS = 32;
/** From one look to the next: after output, and where there has been none for a while. */
const SOONEST_MS = 1;
const LATEST_MS = 40;

/** A stream that leaves its descriptor open when it is through with it. */
class KeptStream extends ReadStream {
  readonly #onThrough: () => void;
  isKept = false;

  constructor(fd: number, onThrough: () => void) {
    super(fd);
    this.#onThrough = onThrough;
  }

  override _destroy(_error: Error | null, done: (error: Error | null) => void): void {
    this.isKept = true;
    done(null);
    this.#onThrough();
  }

  closeNow(): void {
    this.isKept = true;
    super._destroy(null, () => {});
  }
}
