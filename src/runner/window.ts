/** The size of a real terminal, in characters. */
import { closeSync, constants, openSync } from 'node:fs';
import { WriteStream } from 'node:tty';

export interface WindowSize {
  readonly columns: number;
  readonly rows: number;
}

export interface Window {
  /** The size as it is now; the last one known once the terminal is gone. */
  readonly size: () => WindowSize;
  readonly close: () => void;
}

/**
 * The window of the terminal behind a descriptor; null where it can't be opened. It is opened anew: Node would
 * otherwise make the descriptor non-blocking, for the child and everybody else who has it.
 */
export function openWindow(fd: number): Window | null {
  let own: number;
  try {
    own = openSync(`/dev/fd/${fd}`, constants.O_WRONLY | constants.O_NOCTTY);
  } catch {
    return null;
  }
  let stream: WriteStream;
  try {
    stream = new WriteStream(own);
  } catch {
    closeSync(own);
    return null;
  }
  stream.on('error', () => undefined);
  stream.unref();
  let last: WindowSize = { columns: stream.columns, rows: stream.rows };
  return {
    size() {
      try {
        const [columns, rows] = stream.getWindowSize();
        last = { columns, rows };
      } catch {
        // the terminal is gone
      }
      return last;
    },
    close: () => void stream.destroy(),
  };
}
