/** The files that a command consists of: its program, what interprets it, and the files that its words name. */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { shellQuote } from '../base/shell-quote.ts';
import { CapwrapError } from '../errors.ts';
import type { ResolvedCommand } from '../request/run-request.ts';
import { findProgram, walked } from '../runner/resolve-command.ts';
import { readShebang } from '../runner/shebang.ts';

export interface BoundFile {
  readonly path: string;
  /** Of the content, lower-case hex; null for a file that is not read: then size and time stand for it. */
  readonly sha256: string | null;
  readonly bytes: number;
  /** When the file was changed last (ctime). RFC 3339, UTC; null where the content is hashed. */
  readonly modified: string | null;
}

/** A larger file that isn't the program is data rather than code, and reading it would hold up the run. */
export const LARGEST_HASHED = 64 * 1024 * 1024;
const MOST_FILES = 256;
/** The kernel follows an interpreter that is a script itself this often. */
const MOST_INTERPRETERS = 4;

/**
 * The program, its chain of interpreters, and each regular file that an argument names (`x.sh`, `--file=x.yaml`), once
 * each, in this order. `path`: the child's `PATH`, along which `env` looks an interpreter up. Throws ERR_USAGE for more
 * files than anybody can look through: what isn't bound could be changed.
 */
export function boundFiles(command: ResolvedCommand, path: string | undefined): BoundFile[] {
  const { cwd } = command;
  const program = command.path === null ? [] : [command.path, ...interpreters(command.path, cwd, path)];
  const files: BoundFile[] = [];
  for (const file of new Set([...program, ...named(command)])) {
    const bound = measure(file, program.includes(file));
    if (bound !== null) files.push(bound);
    if (files.length > MOST_FILES) {
      throw new CapwrapError(
        'ERR_USAGE',
        `"command" names more than ${MOST_FILES} files, too many to approve`,
        {
          hint: 'hand them over in a folder or a list: a file that names them can be approved',
        },
      );
    }
  }
  return files;
}

/** The folders that words name: their content is not part of an approval, so whoever approves is told. */
export function namedFolders(command: ResolvedCommand): string[] {
  return [...new Set(named(command))].filter((path) => kindOf(path) === 'folder').slice(0, MOST_FILES);
}

/** The regular files that words name, in their order. */
export function namedFiles(command: ResolvedCommand): string[] {
  return [...new Set(named(command))].filter((path) => kindOf(path) === 'file');
}

/** Every path that an argument may name. */
function named({ cwd, argv }: ResolvedCommand): string[] {
  return argv.slice(1).flatMap((word) => namedPaths(word).map((name) => walked(cwd, name)));
}

function kindOf(path: string): 'file' | 'folder' | null {
  try {
    const stat = statSync(path);
    if (stat.isFile()) return 'file';
    return stat.isDirectory() ? 'folder' : null;
  } catch {
    return null;
  }
}

/**
 * Throws ERR_COMMAND_CHANGED where the files of a command are not exactly those that were approved; one that was not
 * there then counts, too.
 */
export function assertUnchanged(
  approved: readonly BoundFile[],
  command: ResolvedCommand,
  path: string | undefined,
): void {
  const now = boundFiles(command, path);
  const known = new Set(approved.map((file) => JSON.stringify(file)));
  const other = now.find((file) => !known.has(JSON.stringify(file)));
  const gone = approved.find((file) => !now.some(({ path: at }) => at === file.path));
  const changed = other ?? gone;
  if (changed === undefined) return;
  throw new CapwrapError('ERR_COMMAND_CHANGED', `"${changed.path}" changed after the approval`, {
    hint: `sha256sum ${shellQuote(changed.path)}`,
  });
}

/** The chain of programs that start a script, the nearest first; empty for what is no script. */
export function interpreters(script: string, cwd: string, path: string | undefined): string[] {
  const chain: string[] = [];
  for (let at = script; chain.length < 2 * MOST_INTERPRETERS; ) {
    const shebang = readShebang(at);
    if (shebang === null) break;
    at = walked(cwd, shebang.interpreter);
    chain.push(at);
    const viaEnv = shebang.viaEnv === null ? null : findProgram(shebang.viaEnv, cwd, path);
    if (typeof viaEnv !== 'string') continue;
    at = viaEnv;
    chain.push(at);
  }
  return chain;
}

/**
 * What a word may name: itself, and what stands behind each `=`; each also without what tools write in front of a file's
 * name (`@body.json`, `file://body.json`, `-fbody.json`).
 */
function namedPaths(word: string): string[] {
  if (word === '' || word.includes('\0')) return [];
  const parts = word.split('=');
  const values = parts.map((_, index) => parts.slice(index).join('='));
  const bare = values.flatMap((value) => [value, value.replace(/^-[A-Za-z0-9]/, '')]);
  return [...new Set(bare.flatMap((value) => [value, value.replace(/^(?:@|fileb?:\/\/)/, '')]))].filter(
    Boolean,
  );
}

/** Null for what is no regular file, or can't be looked at. */
function measure(path: string, isCode: boolean): BoundFile | null {
  let fd: number;
  try {
    if (kindOf(path) !== 'file') return null; // to open a FIFO or a device does something to it
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return null;
  }
  try {
    const stat = fstatSync(fd, { bigint: true });
    if (!stat.isFile()) return null;
    const size = Number(stat.size);
    const hashed = isCode || size <= LARGEST_HASHED;
    return {
      path,
      sha256: hashed ? hashOf(fd) : null,
      bytes: size,
      modified: hashed ? null : exactTime(stat.ctimeNs), // its owner can set any other time
    };
  } catch {
    return null;
  } finally {
    closeSync(fd);
  }
}

/** SHA-256 of a whole file; its position stays where it is. */
export function hashOf(fd: number): string {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(256 * 1024);
  for (let at = 0; ; ) {
    const read = readSync(fd, chunk, 0, chunk.length, at);
    if (read === 0) return hash.digest('hex');
    hash.update(chunk.subarray(0, read));
    at += read;
  }
}

/** RFC 3339 with nanoseconds. */
function exactTime(ns: bigint): string {
  const seconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(ns % 1_000_000_000n).padStart(9, '0')}Z`;
}
