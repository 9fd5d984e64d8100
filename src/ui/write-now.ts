import { writeSync } from 'node:fs';
import { systemErrorCode } from '../errors.ts';

/**
 * Writes at once and in order with the child's own output. A reader that is gone, or that makes this wait for two seconds
 * in all, loses the rest of the text and nothing else. Returns whether all of it was written.
 */
export function writeNow(fd: number, text: string): boolean {
  const bytes = Buffer.from(text);
  let offset = 0;
  for (let waits = 0; offset < bytes.length && waits < MOST_WAITS; ) {
    try {
      offset += writeSync(fd, bytes, offset);
    } catch (error) {
      if (systemErrorCode(error) !== 'EAGAIN') return false;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
      waits += 1;
    }
  }
  return offset === bytes.length;
}

const WAIT_MS = 2;
const MOST_WAITS = 1000;
