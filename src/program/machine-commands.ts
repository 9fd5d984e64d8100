/** The commands about this machine and its shell. */
import { Argument, type Command } from 'commander';
import * as help from '../ui/help.ts';
import type { Add, Invocation } from './add.ts';

export function addMachineCommands(add: Add, program: Command, invocation: Invocation): void {
  add(
    program,
    'doctor',
    'say what works and what does not on this machine',
    help.DOCTOR,
    async (context, values) => {
      const { doctor } = await import('../commands/others.ts');
      return doctor(context, { file: values.map, offline: values.offline ?? false });
    },
  ).option('--offline', 'ask no host');
  add(
    program,
    'completion',
    'print a completion script',
    help.COMPLETION,
    async (context, _values, shell) => {
      const { completion } = await import('../commands/others.ts');
      return completion(context, { shell: shell as 'bash' });
    },
  ).addArgument(new Argument('<shell>', 'the shell to complete in').choices(['bash', 'zsh', 'fish']));
  program.command('__complete', { hidden: true }).action(async () => {
    const { completeWords } = await import('../commands/others.ts');
    const context = invocation.context({ color: false });
    const words = await completeWords(context, invocation.command ?? [], program);
    await context.out(words.map((word) => `${word}\n`).join(''));
  });
}
