/** How a command is put together: its options and help at once, its code only when it runs. */
import type { Command } from 'commander';
import { CapwrapError } from '../errors.ts';
import type { CommandContext, CommonOptions } from '../ui/context.ts';
import type { Phases } from '../ui/phases.ts';

/** What the command line was split into, and the status that the command answered with. */
export interface Invocation {
  /** The words behind `--`; null where there is no `--`. */
  readonly command: readonly string[] | null;
  readonly phases: Phases;
  readonly context: (options: CommonOptions) => CommandContext;
  status?: number;
  /** True where all that is to be waited for has been waited for when the command is through. */
  endsAtOnce?: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: commander types parsed options this way; each action names what it reads
type Values = any;
type Action = (context: CommandContext, values: Values, word: string | undefined) => Promise<number>;

/** Adds a command with a description, examples and what it does. */
export type Add = (
  parent: Command,
  spec: string,
  description: string,
  example: string,
  action: Action,
) => Command;

/** The commands behind which `--` and another command may stand. */
export const TAKES_COMMAND: ReadonlySet<string> = new Set(['run', 'explain']);

/** An `Add` whose commands leave their status in the invocation. */
export function adder(invocation: Invocation): Add {
  return (parent, spec, description, example, action) =>
    parent
      .command(spec)
      .description(description)
      .addHelpText('after', example)
      .allowExcessArguments(false)
      .action(async (...given: unknown[]) => {
        const command = given.at(-1) as Command;
        const values: Values = command.optsWithGlobals();
        if (invocation.command !== null && !TAKES_COMMAND.has(command.name())) {
          throw new CapwrapError('ERR_USAGE', `"${pathOf(command)}" takes no command behind "--"`, {
            hint: `${pathOf(command)} --help`,
          });
        }
        const word = command.processedArgs[0] as string | undefined;
        invocation.status = await action(invocation.context(values), values, word);
      });
}

/** The words that lead to a command: `capwrap audit list`. */
export function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}
