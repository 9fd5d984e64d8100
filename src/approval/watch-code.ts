/**
 * Whether the code of a command is still the one that was looked at, told from what a file system can't be made to take
 * back: every change of a file, and every rename over it, gives the name another inode or another change time.
 */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { INTERPRETERS, rowFor } from '../policy/lint/code-runners.ts';
import type { ResolvedCommand } from '../request/run-request.ts';
import { interpreters, namedFiles } from './bound-files.ts';

/** Answers the path of what has changed since the watch began; null where nothing has. */
export type CodeWatch = () => string | null;

/**
 * Watches the program, its interpreters, and the script that is handed to an interpreter (`sh x.sh`). Other files that
 * words name may be the command's to write. `path`: the child's `PATH`.
 */
export function watchCode(command: ResolvedCommand, path: string | undefined): CodeWatch {
  const program =
    command.path === null ? [] : [command.path, ...interpreters(command.path, command.cwd, path)];
  const runsScripts = program.some((file) => rowFor(INTERPRETERS, basename(file)) !== undefined);
  const script = runsScripts ? namedFiles(command).slice(0, 1) : [];
  const before = [...program, ...script].map((file) => [file, identity(file)] as const);
  return () => before.find(([file, known]) => identity(file) !== known)?.[0] ?? null;
}

function identity(path: string): string | null {
  try {
    const { dev, ino, size, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, ctimeNs].join(' ');
  } catch {
    return null;
  }
}
