/** What isomorphic-git may do with the file system: read bounded regular files, and nothing else. */
import { lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { LIMITS, readGitFile } from './read-file.ts';

/**
 * A file system for reading objects. Every failure looks like a missing file, because the library prints any other
 * to standard output, which belongs to the child. Every write is refused.
 */
export const objectFiles = {
  promises: {
    readFile: (path: string, options?: { encoding?: BufferEncoding } | BufferEncoding) =>
      attempt(() => {
        const bytes = readGitFile(path, LIMITS.pack, path);
        if (bytes === null) throw missing();
        const encoding = typeof options === 'string' ? options : options?.encoding;
        return encoding === undefined ? bytes : bytes.toString(encoding);
      }),
    readdir: (path: string) => attempt(() => readdirSync(path)),
    stat: (path: string) => attempt(() => statSync(path)),
    lstat: (path: string) => attempt(() => lstatSync(path)),
    readlink: (path: string) => attempt(() => readlinkSync(path)),
    writeFile: refuse,
    mkdir: refuse,
    rmdir: refuse,
    unlink: refuse,
    symlink: refuse,
  },
};

async function attempt<T>(read: () => T): Promise<T> {
  try {
    return read();
  } catch {
    throw missing();
  }
}

async function refuse(): Promise<never> {
  throw new Error('git objects are only read');
}

function missing(): Error {
  return Object.assign(new Error('not there'), { code: 'ENOENT' });
}
