/** Files that a source reads. What is judged is the opened descriptor, so a swap in between changes nothing. */
import { closeSync, constants, fstatSync, openSync, realpathSync, type Stats } from 'node:fs';
import { readAll } from '../../base/private-files.ts';
import { shellQuote } from '../../base/shell-quote.ts';
import { CapwrapError, systemErrorCode } from '../../errors.ts';

export interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** How people other than the owner could use or change the file; null where they can't. */
  readonly exposure: string | null;
}

/**
 * Reads a regular file, symbolic links followed (Kubernetes projects tokens through them), or returns null where
 * there is none. Throws ERR_SOURCE_INVALID for anything else, or for more than `maxBytes`.
 */
export function readSourceFile(path: string, maxBytes: number): SourceFile | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK); // a FIFO must not block
  } catch (error) {
    const code = systemErrorCode(error) ?? 'unknown error';
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new CapwrapError('ERR_SOURCE_UNAVAILABLE', `"${path}" can't be read (${code})`, {
      hint: code === 'EACCES' ? `ls -l ${shellQuote(path)}` : undefined,
    });
  }
  try {
    const stat = fstatSync(fd);
    const unfit = (what: string) =>
      new CapwrapError('ERR_SOURCE_INVALID', `"${path}" ${what}`, { hint: `ls -ld ${shellQuote(path)}` });
    if (!stat.isFile()) throw unfit('is not a regular file');
    if (stat.size > maxBytes) throw unfit(`is larger than ${maxBytes} bytes`);
    return { path, text: readAll(fd, stat.size).toString('utf8'), exposure: exposureOf(path, stat) };
  } finally {
    closeSync(fd);
  }
}

/** Throws ERR_SOURCE_INVALID where a file that holds a secret is open to others. */
export function assertUnexposed(file: SourceFile): void {
  if (file.exposure === null) return;
  throw new CapwrapError('ERR_SOURCE_INVALID', `"${file.path}" holds a secret and ${file.exposure}`, {
    hint: `chmod 600 ${shellQuote(file.path)}`,
  });
}

/**
 * A file that root placed for this user may be readable by others: its mode is the administrator's business, and the
 * user could not change it. Root's own files get that trust only in a volume that the kubelet projects (mode 0644).
 */
function exposureOf(path: string, stat: Stats): string | null {
  if ((stat.mode & 0o022) !== 0) return 'can be changed by others';
  if ((stat.mode & 0o044) === 0) return null;
  const placedByRoot = stat.uid === 0 && (process.getuid?.() !== 0 || isKubeletVolume(path));
  return placedByRoot ? null : 'can be read by others';
}

/** The kubelet swaps projected files through a directory named after the time of writing. */
function isKubeletVolume(path: string): boolean {
  return /\/\.\.\d{4}_\d{2}_\d{2}_/.test(realpathSync(path));
}
