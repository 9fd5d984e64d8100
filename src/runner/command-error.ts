/** Words and codes for a command that can't be started. */
import { CapwrapError, type ErrorCode } from '../errors.ts';
import type { CommandFault, CommandFaultKind, ResolvedCommand } from '../request/run-request.ts';

/** A command that can be started. */
export type StartableCommand = ResolvedCommand & { readonly path: string; readonly fault: null };

/** The error of a command that can't be started. */
export function commandError(fault: CommandFault): CapwrapError {
  return new CapwrapError(CODES[fault.kind], fault.message, { hint: fault.hint });
}

/** The command, if there is one that can be started; throws its error otherwise. */
export function assertStartable(command: ResolvedCommand | null): StartableCommand {
  if (command === null)
    throw new CapwrapError('ERR_USAGE', 'a command is missing', { hint: 'capwrap run -c NAME -- CMD' });
  if (command.fault !== null) throw commandError(command.fault);
  if (command.path === null) throw new CapwrapError('ERR_INTERNAL', 'a command was not resolved');
  return { ...command, path: command.path, fault: null };
}

/** The error of a spawn that failed although the command was found: `code` is the system's. */
export function spawnFault(command: ResolvedCommand, code: string): CapwrapError {
  const [error, why] = SPAWN_FAULTS[code] ?? ['ERR_INTERNAL', `could not be started (${code})`];
  return new CapwrapError(error, `"${command.path ?? command.argv[0]}" ${why}`);
}

/** As the shell: 127 where something is not there, 126 where it is there and can't be started. */
const CODES: Readonly<Record<CommandFaultKind, ErrorCode>> = {
  not_found: 'ERR_COMMAND_NOT_FOUND',
  interpreter_missing: 'ERR_COMMAND_NOT_FOUND',
  interpreter_crlf: 'ERR_COMMAND_NOT_FOUND',
  cwd_missing: 'ERR_COMMAND_NOT_FOUND',
  not_executable: 'ERR_COMMAND_NOT_EXECUTABLE',
  is_directory: 'ERR_COMMAND_NOT_EXECUTABLE',
};

const SPAWN_FAULTS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  // The command was there a moment ago; a program whose dynamic loader is missing looks the same.
  ENOENT: ['ERR_COMMAND_NOT_FOUND', 'is gone, or the loader that it names does not exist'],
  EACCES: ['ERR_COMMAND_NOT_EXECUTABLE', 'may not be executed here'],
  EPERM: ['ERR_COMMAND_NOT_EXECUTABLE', 'may not be executed here'],
  ENOEXEC: ['ERR_COMMAND_NOT_EXECUTABLE', 'is not a program for this machine'],
  ETXTBSY: ['ERR_COMMAND_NOT_EXECUTABLE', 'is being written to'],
  E2BIG: ['ERR_COMMAND_NOT_EXECUTABLE', 'was given more arguments and variables than the system takes'],
  EAGAIN: ['ERR_INTERNAL', "can't be started: the limit of processes is reached"],
  ENOMEM: ['ERR_INTERNAL', "can't be started: there is not enough memory"],
};
