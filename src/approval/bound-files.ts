/** The files that a command consists of: its program, what interprets it, and the files that its words name. */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { shellQuote } from '../base/shell-quote.ts';
import { CapwrapError } from '../errors.ts';
import type { ResolvedCommand } from '../request/run-request.ts';
import { findProgram } from '../runner/resolve-command.ts';
import { readShebang } from '../runner/shebang.ts';

export interface BoundFile {
  readonly path: string;
  /** Of the content, lower-case hex; null for a file that is not read: then size and time stand for it. */
  readonly sha256: string | null;
  readonly bytes: number;
  /** RFC 3339, UTC; null where the content is hashed. */
  readonly modified: string | null;
}

/** A larger file is data rather than code, and reading it would hold up the run. */
const LARGEST_HASHED = 64 * 1024 * 1024;
const MOST_FILES = 64;
/** The kernel follows an interpreter that is a script itself this often. */
const MOST_INTERPRETERS = 4;

/**
 * The program, its chain of interpreters, and each regular file that an argument names (`x.sh`, `--file=x.yaml`), once
 * each, in this order. `path`: the child's `PATH`, along which `env` looks an interpreter up.
 */
export function boundFiles(command: ResolvedCommand, path: string | undefined): BoundFile[] {
  const { cwd, argv } = command;
  const program = command.path === null ? [] : [command.path, ...interpreters(command.path, cwd, path)];
  const named = argv.slice(1).flatMap((word) => namedPaths(word).map((name) => resolve(cwd, name)));
  const files: BoundFile[] = [];
  for (const file of new Set([...program, ...named])) {
    const bound = files.length < MOST_FILES ? measure(file) : null;
    if (bound !== null) files.push(bound);
  }
  return files;
}

/** Throws ERR_COMMAND_CHANGED where one of the files is not what it was. (A change after this moment can't be seen.) */
export function assertUnchanged(files: readonly BoundFile[]): void {
  for (const file of files) {
    if (JSON.stringify(measure(file.path)) === JSON.stringify(file)) continue;
    throw new CapwrapError('ERR_COMMAND_CHANGED', `"${file.path}" changed after the approval`, {
      hint: `sha256sum ${shellQuote(file.path)}`,
    });
  }
}

function interpreters(script: string, cwd: string, path: string | undefined): string[] {
  const chain: string[] = [];
  for (let at = script; chain.length < 2 * MOST_INTERPRETERS; ) {
    const shebang = readShebang(at);
    if (shebang === null) break;
    at = resolve(cwd, shebang.interpreter);
    chain.push(at);
    const viaEnv = shebang.viaEnv === null ? null : findProgram(shebang.viaEnv, cwd, path);
    if (typeof viaEnv !== 'string') continue;
    at = viaEnv;
    chain.push(at);
  }
  return chain;
}

/** What a word may name: itself, and what stands behind its first `=`. */
function namedPaths(word: string): string[] {
  if (word === '' || word.includes('\0')) return [];
  const value = /^[^=/]+=(.+)$/s.exec(word)?.[1];
  return value === undefined ? [word] : [word, value];
}

/** Null for what is no regular file, or can't be looked at. */
function measure(path: string): BoundFile | null {
  let fd: number;
  try {
    if (!statSync(path).isFile()) return null; // to open a FIFO or a device does something to it
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return null;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return null;
    const { size, mtime } = stat;
    const hashed = size <= LARGEST_HASHED;
    return {
      path,
      sha256: hashed ? hashOf(fd) : null,
      bytes: size,
      modified: hashed ? null : mtime.toISOString(),
    };
  } catch {
    return null;
  } finally {
    closeSync(fd);
  }
}

function hashOf(fd: number): string {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(256 * 1024);
  for (let at = 0; ; ) {
    const read = readSync(fd, chunk, 0, chunk.length, at);
    if (read === 0) return hash.digest('hex');
    hash.update(chunk.subarray(0, read));
    at += read;
  }
}
