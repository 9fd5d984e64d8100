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
 *
 * A LF without a CR means that the child has switched ONLCR off, and then it only moves the cursor down. `bareLf` is
 * what does so on the real terminal.
 */
export function undoOnlcr(source: Source, bareLf: Uint8Array): Source {
  return {
    ...source,
    get closed() {
      return source.closed;
    },
    start(reader) {
      let held = false;
      let timer: NodeJS.Timeout | undefined;
      const letOut = (): void => {
        clearTimeout(timer);
        if (held) reader.onData(Uint8Array.of(CR), 0);
        held = false;
      };
      source.start({
        onData(chunk) {
          const afterCr = held && chunk[0] === LF;
          if (afterCr) held = false;
          letOut();
          const out = convert(chunk, afterCr, bareLf);
          held = chunk[chunk.length - 1] === CR;
          if (held) timer = setTimeout(letOut, WAIT_MS);
          return out.length === 0 || reader.onData(out, 0);
        },
        onEnd() {
          letOut();
          reader.onEnd();
        },
      });
    },
  };
}

/** `afterCr`: the byte before the chunk was a CR. A CR at the very end is left out. */
function convert(chunk: Uint8Array, afterCr: boolean, bareLf: Uint8Array): Uint8Array {
  const out = new Uint8Array(chunk.length * bareLf.length);
  let length = 0;
  let last = afterCr ? CR : 0;
  for (let at = 0; at < chunk.length; at++) {
    const byte = chunk[at] as number;
    if (byte === LF && last !== CR) {
      out.set(bareLf, length);
      length += bareLf.length;
    } else if (byte !== CR || (at + 1 < chunk.length && chunk[at + 1] !== LF)) {
      out[length++] = byte;
    }
    last = byte;
  }
  return out.subarray(0, length);
}
