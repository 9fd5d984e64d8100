/**
 * Takes back what a pseudo-terminal does to line ends, so that the real terminal gets what the child wrote and does it
 * itself, as it is set.
 */
import type { Source } from './source.ts';

const CR = 0x0d;
const LF = 0x0a;
/** A CR that ends what was read may be half of a line end that the kernel's buffers cut in two. */
const WAIT_MS = 3;

/**
 * The source with each CR LF as LF. ONLCR (termios(3)) writes LF as CR LF, and a CR before it stays, so nothing is lost:
 * what the child wrote as CR LF arrives as CR CR LF and leaves as CR LF.
 */
export function undoOnlcr(source: Source): Source {
  return {
    ...source,
    get closed() {
      return source.closed;
    },
    start(reader) {
      let held = false;
      let timer: NodeJS.Timeout | undefined;
      const letOut = (): boolean => {
        clearTimeout(timer);
        if (!held) return true;
        held = false;
        return reader.onData(Uint8Array.of(CR), 0);
      };
      source.start({
        onData(chunk) {
          const first = chunk[0] === LF && held;
          if (first) held = false;
          const room = letOut();
          const { length, endsInCr } = compact(chunk);
          held = endsInCr;
          if (held) timer = setTimeout(letOut, WAIT_MS);
          return length === 0 ? room : reader.onData(chunk.subarray(0, length), 0);
        },
        onEnd() {
          letOut();
          reader.onEnd();
        },
      });
    },
  };
}

/** Drops, in place, each CR that a LF follows, and one at the very end. Returns how much is left. */
function compact(chunk: Uint8Array): { readonly length: number; readonly endsInCr: boolean } {
  const endsInCr = chunk[chunk.length - 1] === CR;
  let length = 0;
  for (let at = 0; at < chunk.length; at++) {
    const byte = chunk[at] as number;
    if (byte === CR && (at + 1 === chunk.length || chunk[at + 1] === LF)) continue;
    chunk[length++] = byte;
  }
  return { length, endsInCr };
}
