/** `capwrap run`: the options of the command line, and how the process ends. */

import { toJson } from '../base/escape.ts';
import type { RequestOptions } from '../decide.ts';
import { run } from '../run.ts';
import { endLike } from '../runner/exit-status.ts';
import type { CommandContext } from '../ui/context.ts';
import type { Phases } from '../ui/phases.ts';

interface RunFlags extends RequestOptions {
  readonly dryRun?: boolean;
  /** Seconds. */
  readonly approvalTimeout: number;
  readonly wait: boolean;
  readonly eventsFd?: number;
  /** Seconds. */
  readonly killAfter?: number;
}

export async function runCommand(
  context: CommandContext,
  flags: RunFlags,
  argv: readonly string[],
  phases: Phases,
): Promise<number> {
  if (flags.dryRun) {
    const { dryRun } = await import('./others.ts');
    return dryRun(context, flags, argv);
  }
  try {
    const ended = await run(
      context,
      {
        ...flags,
        approvalTimeoutMs: flags.approvalTimeout * 1000,
        noWait: !flags.wait,
        eventsFd: flags.eventsFd ?? null,
        killAfter: flags.killAfter ?? null,
      },
      argv,
      phases,
    );
    return endLike(ended);
  } finally {
    if (context.debug)
      context.err(context.json ? toJson(phases.event()) : `capwrap: debug: ${phases.summary()}`);
  }
}
