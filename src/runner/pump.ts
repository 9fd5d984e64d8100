/** Carries one output stream of the child through the masker to a descriptor of capwrap's. */
import type { Redactor } from '../redact/redactor.ts';
import type { Sink } from './sink.ts';
import type { Source } from './source.ts';

export interface Pump {
  /** Resolves when all that will be read has been read and handed to the sink. */
  readonly done: Promise<void>;
  /** To be called when the child has ended: from then on only what it left in the pipe is waited for. */
  childEnded(): void;
}

/**
 * Stops reading while the sink is full, so memory stays flat and the child waits as it would for a slow reader. Where
 * the reader is gone the pipe is closed, and the child meets that.
 *
 * A process that outlives the child may hold the pipe open. What the child wrote is in the pipe when it ends, so after
 * that the pump reads without waiting for the sink, until a pause or until more came than a pipe can hold.
 *
 * `onHit` is called for each piece of output in which a secret was masked. `isEnded` tells whether capwrap has ended the
 * child, in the middle of its output.
 */
export function pump(
  source: Source,
  redactor: Redactor,
  sink: Sink,
  { onHit, isEnded }: { readonly onHit: () => void; readonly isEnded: () => boolean },
): Pump {
  let ended = false;
  let cut = false;
  let late = 0;
  let hits = 0;
  let quiet: NodeJS.Timeout | undefined;
  let stop: NodeJS.Timeout | undefined;
  let prompt: NodeJS.Timeout | undefined;

  function write(out: Buffer): boolean {
    const room = sink.write(out);
    if (redactor.hits > hits) {
      hits = redactor.hits;
      onHit();
    }
    return room;
  }

  /** Stops reading although more could come. */
  function cutOff(): void {
    cut = true;
    source.close();
  }

  /** The last characters of a prompt may be the first ones of a form; they are not worth waiting for. */
  function releaseSoon(): void {
    if (!redactor.short) return;
    if (prompt) prompt.refresh();
    else prompt = setTimeout(() => write(Buffer.from(redactor.release())), PROMPT_MS).unref();
  }

  /** A busy event loop may be late itself: what is in the pipe by now is read before `then` is called. */
  function afterOneMoreRead(then: () => void): void {
    setImmediate(() => setImmediate(then));
  }

  function pauseOver(): void {
    const before = late;
    afterOneMoreRead(() => (late === before ? cutOff() : listen()));
  }

  function listen(): void {
    clearTimeout(quiet);
    quiet = setTimeout(pauseOver, QUIET_MS);
  }

  const done = new Promise<void>((resolve) => {
    source.start({
      onData(chunk, room) {
        if (!ended) {
          const goOn = write(redactor.push(chunk, room));
          releaseSoon();
          return goOn;
        }
        // The sink is not waited for any more, so it gets memory of its own.
        write(Buffer.from(redactor.push(chunk, room)));
        late += chunk.length;
        if (late > MOST_IN_A_PIPE) cutOff();
        else listen();
        return true;
      },
      onEnd() {
        clearTimeout(quiet);
        clearTimeout(stop);
        clearTimeout(prompt);
        write(redactor.flush(cut || isEnded()));
        resolve();
      },
    });
  });
  sink.onRoom = () => source.taken();
  sink.onBroken = () => source.close();

  return {
    done,
    childEnded() {
      ended = true;
      if (source.closed) return;
      source.resume();
      listen();
      stop = setTimeout(() => afterOneMoreRead(cutOff), LONGEST_DRAIN_MS);
    },
  };
}

/** Longer than the pauses within a stream of output, shorter than anybody notices. */
const PROMPT_MS = 2;
/** No output for so long after the child's end means that its own is through. */
const QUIET_MS = 150;
const LONGEST_DRAIN_MS = 1000;
const MOST_IN_A_PIPE = 4 * 1024 * 1024;
