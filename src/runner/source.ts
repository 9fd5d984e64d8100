/** Where the child's output is read from. */
import { Socket, type SocketConstructorOpts } from 'node:net';
import type { Readable } from 'node:stream';

export interface Reader {
  /**
   * Gets the next bytes; `room` says how many before them in the same memory may be overwritten. After `true` the
   * memory is used again at once; after `false` it isn't before `taken`, and little or nothing more is read until then.
   */
  readonly onData: (chunk: Uint8Array, room: number) => boolean;
  /** Nothing more will come. */
  readonly onEnd: () => void;
}

/** `onEof`, where a source is made with one, is called in the very turn in which the other side has closed. */
export interface Source {
  /** Begins to read. What was closed before ends at once: a terminal may be gone before anybody reads from it. */
  start(reader: Reader): void;
  /** The reader needs nothing any more of what it got; reads on. */
  taken(): void;
  /** Reads on, for a reader that needs what it got and from now on always returns true. */
  resume(): void;
  /** Stops reading and closes the descriptor; `onEnd` follows. */
  close(): void;
  readonly closed: boolean;
}

/** As much as a Linux pipe holds. */
export const READ_SIZE = 64 * 1024;
/** Space for what the masker holds back, so that it needs no copy of the rest; more is copied. */
const ROOM = 16 * 1024;
/** All but one may be in use before the reading pauses: a pause costs as much as several reads. */
const MEMORIES = 5;

interface ReadMemory {
  readonly whole: Uint8Array;
  readonly forRead: Uint8Array;
  /** The reader still needs what is in it. */
  busy: boolean;
}

/** Reads a pipe into the same memory, over and over: a fresh piece for each read costs as much as the masking. */
export function fromPipe(fd: number, onEof: () => void): Source {
  const memories = Array.from({ length: MEMORIES }, createMemory);
  let reader: Reader | null = null;
  let current = memories[0] as ReadMemory;
  let isPaused = false;
  const onread = {
    /** Called before each read. */
    buffer(): Uint8Array {
      if (current.busy) current = memories.find(({ busy }) => !busy) ?? current;
      return current.forRead;
    },
    callback(length: number): boolean {
      const chunk = current.whole.subarray(ROOM, ROOM + length);
      current.busy = reader?.onData(chunk, ROOM) === false;
      isPaused = current.busy && memories.filter(({ busy }) => !busy).length === 1;
      return !isPaused;
    },
  };
  // The types know `onread` for connections only; the constructor takes it for descriptors as well.
  const options: SocketConstructorOpts & { onread: typeof onread } = {
    fd,
    readable: true,
    writable: false,
    onread,
  };
  const socket = new Socket(options);
  function read(given: Reader): void {
    reader = given;
    socket.resume();
  }
  function taken(): void {
    for (const memory of memories) memory.busy = false;
    if (isPaused) socket.resume();
  }
  return control(socket, onEof, read, taken);
}

function createMemory(): ReadMemory {
  const whole = new Uint8Array(ROOM + READ_SIZE);
  return { whole, forRead: whole.subarray(ROOM), busy: false };
}

/** Reads what Node reads; `rest`, where it is given, hands out what Node has left unread at the end, null for no more. */
export function fromReadable(
  stream: Readable,
  onEof: () => void,
  rest: () => Uint8Array | null = () => null,
): Source {
  return control(stream, onEof, ({ onData }) => {
    stream.on('end', () => {
      for (let chunk = rest(); chunk !== null; chunk = rest()) onData(chunk, 0);
    });
    stream.on('data', (chunk: Buffer) => {
      if (!onData(chunk, 0)) stream.pause();
    });
  });
}

/** The same source; `look` gets each piece before its reader does. */
export function beforeReader(source: Source, look: (chunk: Uint8Array) => void): Source {
  return {
    ...source,
    get closed() {
      return source.closed;
    },
    start(reader) {
      source.start({
        ...reader,
        onData(chunk, room) {
          look(chunk);
          return reader.onData(chunk, room);
        },
      });
    },
  };
}

function control(
  stream: Readable,
  onEof: () => void,
  read: (reader: Reader) => void,
  taken: () => void = () => stream.resume(),
): Source {
  return {
    start(reader) {
      if (stream.closed) {
        reader.onEnd();
        return;
      }
      stream.on('end', onEof);
      // A terminal whose other side is gone answers EIO, which is its way to say that it is through.
      stream.on('error', () => {
        onEof();
        stream.destroy();
      });
      stream.on('close', reader.onEnd);
      read(reader);
    },
    taken,
    resume: () => void stream.resume(),
    close: () => void stream.destroy(),
    get closed() {
      return stream.closed;
    },
  };
}
