/** Finds the program of a request before anything is issued, and tells why it can't be started. */
import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { shellQuote } from '../base/shell-quote.ts';
import { SYSTEM_PATH } from '../base/system-path.ts';
import { CapwrapError, systemErrorCode } from '../errors.ts';
import type { CommandFault, CommandFaultKind, ResolvedCommand } from '../request/run-request.ts';
import { elfLoader } from './elf.ts';
import { readShebang } from './shebang.ts';

export interface ResolveOptions {
  /** Absolute. */
  readonly cwd: string;
  /** The child's PATH, or undefined where the map hands it none: then `SYSTEM_PATH`. */
  readonly path: string | undefined;
  /** True where a rule pins the program's content. */
  readonly sha256: boolean;
}

/**
 * Looks a command up as the system will: a word with a slash is a path relative to `cwd`, any other is looked for
 * along the child's PATH, where an empty entry means `cwd`. Never throws for a command that can't be started: the
 * fault says why. A file that is neither a program nor has a `#!` line is left to `sh`, as the C library does.
 */
export function resolveCommand(argv: readonly string[], options: ResolveOptions): ResolvedCommand {
  const { cwd } = options;
  const path = options.path ?? SYSTEM_PATH;
  const name = argv[0] ?? '';
  const faulty = (fault: CommandFault, at: string | null = null) => ({
    argv,
    cwd,
    path: at,
    fault,
    sha256: null,
  });
  if (!isFolder(cwd)) {
    return faulty(
      fault('cwd_missing', `"${cwd}" is not a folder any more: the command can't start in it`, 'cd "$HOME"'),
    );
  }
  const found = findProgram(name, cwd, path);
  if (typeof found !== 'string') return faulty(found);
  const canonical = withRealFolder(found);
  const broken = scriptFault(canonical, cwd, path, 0) ?? loaderFault(canonical);
  if (broken !== null) return faulty(broken, canonical);
  return { argv, cwd, path: canonical, fault: null, sha256: options.sha256 ? sha256Of(canonical) : null };
}

/**
 * Makes sure, right before the spawn, that a program whose content was part of the decision is still the same.
 * Throws ERR_COMMAND_CHANGED. (A change after this moment can't be seen.)
 */
export function recheck(command: ResolvedCommand): void {
  if (command.path === null || command.sha256 === null || sha256Of(command.path) === command.sha256) return;
  throw new CapwrapError('ERR_COMMAND_CHANGED', `"${command.path}" changed after the decision`, {
    hint: `sha256sum ${shellQuote(command.path)}`,
  });
}

/** Links in the folder are resolved, the file's own name stays: many programs do what their name says. */
function withRealFolder(path: string): string {
  try {
    return join(realpathSync.native(dirname(path)), basename(path));
  } catch {
    return path; // gone since it was found; the spawn will tell
  }
}

/**
 * A path as the kernel walks it from `cwd`: `link/../x` stands next to what the link leads to, so no `..` may be taken
 * out of it.
 */
export function walked(cwd: string, path: string): string {
  if (!path.split('/').includes('..')) return resolve(cwd, path);
  return isAbsolute(path) ? path : `${cwd}/${path}`;
}

/** The file to start, or why there is none. `path`: the child's `PATH`, or undefined where it has none. */
export function findProgram(name: string, cwd: string, path = SYSTEM_PATH): string | CommandFault {
  if (name.includes('/')) return judgeFile(name, walked(cwd, name)) ?? walked(cwd, name);
  let first: CommandFault | null = null;
  // As execvp(3): a file that can't be started doesn't end the search, but it is what gets reported.
  for (const entry of name === '' ? [] : path.split(':')) {
    const candidate = `${walked(cwd, entry || '.')}/${name}`;
    const judged = judgeFile(candidate, candidate);
    if (judged === null) return candidate;
    if (judged.kind === 'not_executable') first ??= judged;
  }
  return first ?? fault('not_found', `"${name}" is not found on the child's PATH`, nearbyHint(name, cwd));
}

function nearbyHint(name: string, cwd: string): string {
  const nearby = name !== '' && judgeFile(name, join(cwd, name)) === null;
  return nearby ? `write ./${shellQuote(name)}` : 'write the path of the program, or pass a PATH that has it';
}

/** Why a file can't be started, whatever its content; null where it can. */
function judgeFile(shown: string, path: string): CommandFault | null {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return fault('is_directory', `"${shown}" is a folder, not a program`);
    if (!stat.isFile()) return fault('not_executable', `"${shown}" is not a regular file`);
  } catch (error) {
    const found = UNREACHABLE[systemErrorCode(error) ?? ''];
    return found
      ? fault('not_executable', `"${shown}" ${found}`)
      : fault('not_found', `"${shown}" does not exist`);
  }
  try {
    accessSync(path, constants.X_OK);
    return null;
  } catch {
    return fault('not_executable', `"${shown}" is not executable`, `chmod +x ${shellQuote(shown)}`);
  }
}

/** What is there all the same, by the system's code for why it can't be looked at. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  EACCES: "can't be reached: a folder above it can't be entered",
  ELOOP: 'is a link that leads back to itself',
};

/** The kernel follows an interpreter that is a script itself this often. */
const MOST_INTERPRETERS = 4;

function scriptFault(script: string, cwd: string, path: string, depth: number): CommandFault | null {
  const shebang = readShebang(script);
  if (shebang === null || depth > MOST_INTERPRETERS) return null;
  if (shebang.crlf) {
    const fix = `sed -i 's/\\r$//' ${shellQuote(script)}`;
    return fault('interpreter_crlf', `"${script}" has a CR at the end of its "#!" line`, fix);
  }
  const interpreter = walked(cwd, shebang.interpreter);
  if (judgeFile(interpreter, interpreter) !== null) {
    const message = `"${script}" needs the interpreter "${shebang.interpreter}", which can't be started`;
    return fault('interpreter_missing', message, `ls -l ${shellQuote(interpreter)}`);
  }
  if (shebang.viaEnv !== null && typeof findProgram(shebang.viaEnv, cwd, path) !== 'string') {
    const message = `"${script}" needs the interpreter "${shebang.viaEnv}", which is not on the child's PATH`;
    return fault('interpreter_missing', message, envHint(shebang.viaEnv));
  }
  return scriptFault(interpreter, cwd, path, depth + 1);
}

/** A program built for another C library names a loader that isn't there; the kernel then says that the program isn't. */
function loaderFault(program: string): CommandFault | null {
  const loader = elfLoader(program);
  if (loader === null || judgeFile(loader, loader) === null) return null;
  return fault(
    'interpreter_missing',
    `"${program}" needs the loader "${loader}", which can't be started: it was built for another system`,
    `ls -l ${shellQuote(loader)}`,
  );
}

function envHint(program: string): string {
  return /\s/.test(program)
    ? `#!/usr/bin/env -S ${program}`
    : 'pass a PATH that has it, or name its path in the "#!" line';
}

function fault(kind: CommandFaultKind, message: string, hint?: string): CommandFault {
  return { kind, message, hint };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function sha256Of(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch (error) {
    const code = systemErrorCode(error) ?? 'unknown error';
    throw new CapwrapError(
      'ERR_COMMAND_NOT_EXECUTABLE',
      `"${path}" can't be read to check its content (${code})`,
      {
        hint: `chmod u+r ${shellQuote(path)}`,
        cause: error,
      },
    );
  }
}
