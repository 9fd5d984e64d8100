import type { CommandContext } from '../ui/context.ts';

/** A command answers with its exit status: 0 fine, 1 findings; faults are thrown as CapwrapError. */
export type Command<Options> = (context: CommandContext, options: Options) => Promise<number>;
