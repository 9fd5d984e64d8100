import { writeSync } from 'node:fs';
import { systemErrorCode } from '../errors.ts';

/** Writes at once and in order with the child's own output; a reader that is gone loses the text and nothing else. */
export function writeNow(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  let offset = 0;
  for (let attempt = 0; offset < bytes.length && attempt < 1000; attempt++) {
    try {
      offset += writeSync(fd, bytes, offset);
    } catch (error) {
      if (systemErrorCode(error) !== 'EAGAIN') return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}
