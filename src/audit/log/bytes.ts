/** The bytes of one file of the log, whatever form they have on disk. */
import { fstatSync, readSync } from 'node:fs';

export interface LogBytes {
  /** As it is now: the current file grows. */
  size(): number;
  /** At most `length` bytes from `offset` on; none at the end. */
  read(offset: number, length: number): Buffer;
}

/** An open, plain file. */
export function bytesOfFile(fd: number): LogBytes {
  return {
    size: () => fstatSync(fd).size,
    read(offset, length) {
      const bytes = Buffer.allocUnsafe(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
    },
  };
}

/** What is in memory already. */
export function bytesOfBuffer(buffer: Buffer): LogBytes {
  return {
    size: () => buffer.length,
    read: (offset, length) => buffer.subarray(offset, offset + length),
  };
}
