/** The size of a real terminal, in characters. */
import { closeSync, constants, openSync } from 'node:fs';
import { WriteStream } from 'node:tty';

export interface WindowSize {
  readonly columns: number;
  readonly rows: number;
}

/**
 * The size of the terminal behind a descriptor or a path, as it is now; null where it can't be told. The terminal is opened anew:
 * Node would otherwise make the descriptor non-blocking, for the child and everybody else who has it.
 */
export function windowSize(place: number | string): WindowSize | null {
  let own: number;
  try {
    own = openSync(
      typeof place === 'string' ? place : `/dev/fd/${place}`,
      constants.O_WRONLY | constants.O_NOCTTY,
    );
  } catch {
    return null;
  }
  try {
    const stream = new WriteStream(own);
    const { columns, rows } = stream;
    stream.destroy();
    return { columns, rows };
  } catch {
    closeSync(own);
    return null;
  }
}
