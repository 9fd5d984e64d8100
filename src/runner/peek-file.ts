/** A look into a program's file. */
import { closeSync, openSync, readSync } from 'node:fs';

/** Up to `length` bytes from `offset` on; fewer where the file ends. */
type Read = (offset: number, length: number) => Buffer;

/** What `look` makes of a file; null where the file can't be read (a program may be executable only) or `look` throws. */
export function peekFile<T>(path: string, look: (read: Read) => T | null): T | null {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    return look((offset, length) => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
    });
  } catch {
    return null;
  } finally {
    closeSync(fd);
  }
}
