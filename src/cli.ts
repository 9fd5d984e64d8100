/** The command line: what is understood, which command answers, and the one place that sets the exit status. */
import { type Command, CommanderError } from 'commander';
import { takeAmbient } from './base/ambient.ts';
import { CapwrapError } from './errors.ts';
import { type Invocation, pathOf, TAKES_COMMAND } from './program/add.ts';
import { spellFollow } from './program/follow.ts';
import { buildProgram } from './program.ts';
import { createContext } from './ui/context.ts';
import { endAtCrash } from './ui/crash.ts';
import { startPhases } from './ui/phases.ts';
import { reportError } from './ui/report-error.ts';
import { failUnanswered } from './ui/unanswered.ts';

/** Runs the command that the process was started with. Never throws. */
export async function main(): Promise<void> {
  const phases = startPhases();
  const { own, command } = splitAtDashes(process.argv.slice(2));
  const plain = { json: own.includes('--json'), debug: own.includes('--debug') };
  const fail = (error: unknown): void => {
    process.exitCode = reportError(error, plain);
  };
  endAtCrash(fail);
  const answered = failUnanswered(fail);
  let invocation: Invocation | null = null;
  try {
    const ambient = takeAmbient();
    phases.mark('start');
    invocation = { command, phases, context: (options) => createContext(ambient, options) };
    await answer(buildProgram(invocation), own);
    process.exitCode ??= invocation.status ?? 0;
  } catch (error) {
    fail(error);
  }
  answered();
  // A reader that takes none of what was given up on must not hold the process.
  if (invocation?.endsAtOnce) process.exit();
}

/** Has the program answer the words. Throws ERR_USAGE where it does not understand them, and what its commands throw. */
export async function answer(program: Command, own: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(spellFollow(own), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw usageError(error, program, own); // help and version are no failure
  }
}

/** Words before the first `--` are capwrap's, those behind it the command's; null where there is no `--`. */
export function splitAtDashes(words: readonly string[]): { own: string[]; command: string[] | null } {
  const at = words.indexOf('--');
  return at < 0
    ? { own: [...words], command: null }
    : { own: words.slice(0, at), command: words.slice(at + 1) };
}

/** What commander refused, in capwrap's words. */
function usageError(error: CommanderError, program: Command, own: readonly string[]): CapwrapError {
  const command = own.reduce((at, word) => at.commands.find((each) => each.name() === word) ?? at, program);
  const usage = (message: string, hint: string) => new CapwrapError('ERR_USAGE', message, { hint });
  if (error.code === 'commander.help') return usage('a command is missing', `${pathOf(command)} --help`);
  if (error.code === 'commander.excessArguments' && TAKES_COMMAND.has(command.name())) {
    const name = command.name() === 'run' ? '-c NAME' : 'NAME';
    return usage('the command must stand behind "--"', `${pathOf(command)} ${name} -- ./script.sh`);
  }
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const hint = suggestion?.replace(/^\((.*)\)$/, '$1') ?? `${pathOf(command)} --help`;
  return usage(message.replaceAll("'", '"'), hint);
}
