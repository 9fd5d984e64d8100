/** The command line: what is understood, which command answers, and the one place that sets the exit status. */
import { CommanderError } from 'commander';
import { takeAmbient } from './base/ambient.ts';
import { CapwrapError } from './errors.ts';
import type { Invocation } from './program/add.ts';
import { buildProgram } from './program.ts';
import { createContext } from './ui/context.ts';
import { startPhases } from './ui/phases.ts';
import { reportError } from './ui/report-error.ts';

/** Runs the command that the process was started with. Never throws. */
export async function main(): Promise<void> {
  const phases = startPhases();
  const { own, command } = splitAtDashes(process.argv.slice(2));
  const plain = { json: own.includes('--json'), debug: own.includes('--debug') };
  const fail = (error: unknown): void => {
    process.exitCode = reportError(error, plain);
  };
  process.on('uncaughtException', (error) => {
    fail(error);
    process.exit();
  });
  try {
    const ambient = takeAmbient();
    phases.mark('start');
    const invocation: Invocation = { command, phases, context: (options) => createContext(ambient, options) };
    const program = buildProgram(invocation);
    await program.parseAsync(own, { from: 'user' });
    process.exitCode ??= invocation.status ?? 0;
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = commanderStatus(error, own, fail);
    else fail(error);
  }
}

/** Words before the first `--` are capwrap's, those behind it the command's; null where there is no `--`. */
function splitAtDashes(words: readonly string[]): { own: string[]; command: string[] | null } {
  const at = words.indexOf('--');
  return at < 0
    ? { own: [...words], command: null }
    : { own: words.slice(0, at), command: words.slice(at + 1) };
}

/** Help and version are no failure; everything else that commander refuses is a usage error. */
function commanderStatus(
  error: CommanderError,
  own: readonly string[],
  fail: (error: unknown) => void,
): number {
  if (error.exitCode === 0) return 0;
  const usage = usageError(error, own);
  fail(usage);
  return usage.exitStatus;
}

function usageError({ code, message: text }: CommanderError, own: readonly string[]): CapwrapError {
  const [name = '', sub = ''] = own.filter((word) => !word.startsWith('-'));
  if (code === 'commander.help')
    return new CapwrapError('ERR_USAGE', 'a command is missing', { hint: 'capwrap --help' });
  if (code === 'commander.excessArguments' && (name === 'run' || name === 'explain')) {
    const usage =
      name === 'run' ? 'capwrap run -c NAME -- ./script.sh' : 'capwrap explain NAME -- ./script.sh';
    return new CapwrapError('ERR_USAGE', 'the command must stand behind "--"', { hint: usage });
  }
  const [message = text, suggestion] = text.replace(/^error: /, '').split('\n');
  const command = ['audit', 'issuer'].includes(name) ? `${name} ${sub} ` : name ? `${name} ` : '';
  const hint = suggestion?.replace(/^\((.*)\)$/, '$1') ?? `capwrap ${command}--help`;
  return new CapwrapError('ERR_USAGE', message, { hint });
}
