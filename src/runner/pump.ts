/** Carries one output stream of the child through the masker to a descriptor of capwrap's. */
import type { Readable } from 'node:stream';
import type { Redactor } from '../redact/redactor.ts';
import type { FdSink } from './fd-sink.ts';

export interface Pump {
  /** Resolves when all that will be read has been read and handed to the sink. */
  readonly done: Promise<void>;
  /** To be called when the child has ended: from then on only what it left in the pipe is waited for. */
  childEnded(): void;
}

/**
 * Pauses the child's pipe while the sink is full, so memory stays flat and the child waits as it would for a slow
 * reader. Where the reader is gone the pipe is closed; since Node's pipes are sockets, a
 * child that writes at that moment may see ECONNRESET where it would have had SIGPIPE.
 *
 * A process that outlives the child may hold the pipe open. What the child wrote is in the pipe when it ends, so after
 * that the pump reads without waiting for the sink, until a pause or until more came than a pipe can hold.
 */
export function pump(source: Readable, redactor: Redactor, sink: FdSink): Pump {
  let ended = false;
  let late = 0;
  let quiet: NodeJS.Timeout | undefined;
  let stop: NodeJS.Timeout | undefined;

  /** A busy event loop may be late itself: what is in the pipe by now is read before `then` is called. */
  function afterOneMoreRead(then: () => void): void {
    setImmediate(() => setImmediate(then));
  }

  function pauseOver(): void {
    const before = late;
    afterOneMoreRead(() => (late === before ? source.destroy() : listen()));
  }

  function listen(): void {
    clearTimeout(quiet);
    quiet = setTimeout(pauseOver, QUIET_MS);
  }

  const done = new Promise<void>((resolve) => {
    source.on('data', (chunk: Buffer) => {
      const room = sink.write(redactor.push(chunk));
      if (!ended) {
        if (!room) source.pause();
        return;
      }
      late += chunk.length;
      if (late > MOST_IN_A_PIPE) source.destroy();
      else listen();
    });
    source.on('error', () => source.destroy());
    source.on('close', () => {
      clearTimeout(quiet);
      clearTimeout(stop);
      sink.write(redactor.flush());
      resolve();
    });
  });
  sink.onRoom = () => void source.resume();
  sink.onBroken = () => void source.destroy();

  return {
    done,
    childEnded() {
      ended = true;
      if (source.closed) return;
      source.resume();
      listen();
      stop = setTimeout(() => afterOneMoreRead(() => source.destroy()), LONGEST_DRAIN_MS);
    },
  };
}

/** No output for so long after the child's end means that its own is through. */
const QUIET_MS = 150;
const LONGEST_DRAIN_MS = 1000;
const MOST_IN_A_PIPE = 4 * 1024 * 1024;
