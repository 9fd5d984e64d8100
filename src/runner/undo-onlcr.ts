/**
 * Takes back what a pseudo-terminal does to line ends, so that the real terminal gets what the child wrote and does it
 * itself, as it is set.
 */
import type { Sink } from './sink.ts';

const CR = 0x0d;
const LF = 0x0a;
/** A CR that ends a piece of output may be half of a line end that was cut in two. */
const WAIT_MS = 3;

/**
 * A way to `target` on which each CR LF becomes LF. ONLCR (termios(3)) writes LF as CR LF, and a CR before it stays, so
 * nothing is lost: what the child wrote as CR LF arrives as CR CR LF and leaves as CR LF.
 *
 * A LF without a CR means that the child has switched ONLCR off, and then it only moves the cursor down. `bareLf` is
 * what does so on the real terminal.
 */
export function undoOnlcr(target: Sink, bareLf: Uint8Array): Sink {
  let held = false;
  let lastWasCr = false;
  let timer: NodeJS.Timeout | undefined;

  function letOut(): void {
    clearTimeout(timer);
    if (held) target.write(Buffer.of(CR));
    held = false;
  }

  return {
    write(data) {
      if (data.length === 0) return true;
      if (data[0] === LF) held = false;
      letOut();
      const out = convert(data, lastWasCr, bareLf);
      lastWasCr = data[data.length - 1] === CR;
      held = lastWasCr;
      if (held) timer = setTimeout(letOut, WAIT_MS);
      return target.write(out);
    },
    written() {
      letOut();
      return target.written();
    },
    get onRoom() {
      return target.onRoom;
    },
    set onRoom(call) {
      target.onRoom = call;
    },
    get onBroken() {
      return target.onBroken;
    },
    set onBroken(call) {
      target.onBroken = call;
    },
  };
}

/** `afterCr`: the byte before was a CR. A CR at the very end is left out. */
function convert(data: Uint8Array, afterCr: boolean, bareLf: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(data.length * bareLf.length);
  let length = 0;
  let last = afterCr ? CR : 0;
  for (let at = 0; at < data.length; at++) {
    const byte = data[at] as number;
    if (byte === LF && last !== CR) {
      out.set(bareLf, length);
      length += bareLf.length;
    } else if (byte !== CR || (at + 1 < data.length && data[at + 1] !== LF)) {
      out[length++] = byte;
    }
    last = byte;
  }
  return out.subarray(0, length);
}
