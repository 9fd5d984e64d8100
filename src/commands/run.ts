/** `capwrap run`: the options of the command line, and how the process ends. */

import type { Binding } from '../approval/binding.ts';
import type { BroughtApproval } from '../approval/obtain-input.ts';
import { toJson } from '../base/escape.ts';
import type { RequestOptions } from '../decide.ts';
import { CapwrapError } from '../errors.ts';
import { run } from '../run.ts';
import { endLike } from '../runner/exit-status.ts';
import type { CommandContext } from '../ui/context.ts';
import { openStateFor } from '../ui/open-state.ts';
import type { Phases } from '../ui/phases.ts';

interface RunFlags extends Omit<RequestOptions, 'capability'> {
  readonly capability?: string;
  /** Id of a request, or a file with answers to one. */
  readonly approval?: string;
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
  words: readonly string[] | null,
  phases: Phases,
): Promise<number> {
  const brought = flags.approval === undefined ? null : await bring(context, flags.approval);
  const { asked, argv } = completed(flags, words, brought?.request.binding ?? null, context.ambient.env);
  if (flags.dryRun) {
    const { dryRun } = await import('./others.ts');
    return dryRun(context, asked, argv);
  }
  try {
    const ended = await run(
      context,
      {
        ...flags,
        ...asked,
        approval: brought,
        approvalTimeoutMs: flags.approvalTimeout * 1000,
        noWait: !flags.wait,
        eventsFd: flags.eventsFd ?? null,
        killAfter: flags.killAfter ?? null,
      },
      argv,
      phases,
    );
    return endLike(ended); // not awaited: it may end by a signal, before which the figures are printed
  } finally {
    if (context.debug)
      context.err(context.json ? toJson(phases.event()) : `capwrap: debug: ${phases.summary()}`);
  }
}

async function bring(context: CommandContext, named: string): Promise<BroughtApproval> {
  const { bringApproval, openApprovals } = await import('../approval/for-runs.ts');
  const { ambient } = context;
  return bringApproval(openApprovals(openStateFor(context).dir, ambient.uid), named, ambient.cwd);
}

/**
 * What is asked for. What the command line leaves out is taken from the request that was approved, whose task goes on;
 * what it says must be the same, or the approval is for another run.
 */
function completed(
  flags: RunFlags,
  words: readonly string[] | null,
  approved: Binding | null,
  env: Readonly<Record<string, string>>,
): { readonly asked: RequestOptions; readonly argv: readonly string[] } {
  const capability = flags.capability ?? approved?.capability;
  if (capability === undefined) {
    throw new CapwrapError('ERR_USAGE', '"--capability" is missing', { hint: 'capwrap run -c NAME -- CMD' });
  }
  const argv = words ?? approved?.command;
  if (argv === undefined || !argv[0]) {
    // An empty word is most often a variable of a script that isn't set.
    const isEmpty = argv?.[0] === '';
    const message = isEmpty
      ? 'the command behind "--" is an empty word'
      : 'the command to run must stand behind "--"';
    throw new CapwrapError('ERR_USAGE', message, { hint: 'capwrap run -c NAME -- ./script.sh' });
  }
  const approvedClaim = (name: 'actor' | 'environment') =>
    approved?.sources[name] === 'claimed' ? (approved[name] ?? undefined) : undefined;
  /** A variable of the caller says something, too. */
  const said = (variable: string, value: string | undefined) => (env[variable] ? undefined : value);
  return {
    argv,
    asked: {
      map: flags.map ?? approved?.map_path,
      capability,
      justification:
        flags.justification ?? said('CAPWRAP_JUSTIFICATION', approved?.justification ?? undefined),
      taskId: flags.taskId ?? said('CAPWRAP_TASK_ID', approved?.task_id),
      actor: flags.actor ?? said('CAPWRAP_ACTOR', approvedClaim('actor')),
      environment: flags.environment ?? said('CAPWRAP_ENVIRONMENT', approvedClaim('environment')),
      ttl: flags.ttl ?? (approved ? String(approved.ttl_seconds) : undefined),
    },
  };
}
