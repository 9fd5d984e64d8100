/** The command line in the test's own process, for what shows no difference to the built CLI but Node's start. */
import type { Command } from 'commander';
import { answer, splitAtDashes } from '../../src/cli.ts';
import type { Invocation } from '../../src/program/add.ts';
import { buildProgram } from '../../src/program.ts';
import { startPhases } from '../../src/ui/phases.ts';
import { errorReport } from '../../src/ui/report-error.ts';
import { keptContext } from '../commands/command-context.ts';
import { ambientOf } from '../policy/ambient.ts';
import { type CliOptions, type CliResult, ROOT } from './cli.ts';

/**
 * As `capwrap`, for commands that start nothing, read no standard input and ask nobody: those have the terminal and the
 * streams of whoever runs the tests.
 */
export async function capwrapHere(
  args: readonly string[],
  { cwd = ROOT, env = {} }: Omit<CliOptions, 'input'> = {},
): Promise<CliResult> {
  const { own, command } = splitAtDashes(args);
  const ambient = ambientOf({ cwd, env: { PATH: process.env['PATH'] ?? '', NO_COLOR: '1', ...env } });
  const [stdout, stderr]: [string[], string[]] = [[], []];
  const invocation: Invocation = {
    command,
    phases: startPhases(),
    context: ({ json = false, quiet = false, debug = false }) =>
      keptContext(ambient, {
        json,
        quiet,
        debug,
        out: async (text) => void stdout.push(text),
        err: (line) => void stderr.push(`${line}\n`),
      }).context,
  };
  const program = buildProgram(invocation);
  for (const each of withSubcommands(program)) {
    each.configureOutput({ writeOut: (text) => void stdout.push(text), getOutHelpWidth: () => 80 });
  }
  let status = 0;
  try {
    await answer(program, own);
    status = invocation.status ?? 0;
  } catch (error) {
    const report = errorReport(error, { json: own.includes('--json'), debug: own.includes('--debug') });
    status = report.status;
    stderr.push(report.text);
  }
  return { status, signal: undefined, stdout: stdout.join(''), stderr: stderr.join('') };
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}
