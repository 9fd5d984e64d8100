/** Files that somebody hands over by name: read whole, within a limit, without waiting for what never comes. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** The text of a regular file or a pipe; null where it is longer than `limit` bytes. Throws the system's error, or ENOTSUP for anything else. */
export function readForeignFile(path: string, limit: number): string | null {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() && !stat.isFIFO()) throw Object.assign(new Error('not a file'), { code: 'ENOTSUP' });
    const buffer = Buffer.allocUnsafe(limit + 1);
    let length = 0;
    while (length <= limit) {
      const read = readSync(fd, buffer, length, buffer.length - length, null);
      if (read === 0) break;
      length += read;
    }
    return length > limit ? null : buffer.toString('utf8', 0, length);
  } finally {
    closeSync(fd);
  }
}
