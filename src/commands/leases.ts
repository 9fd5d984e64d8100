/** `capwrap leases`: the open ones, whether their runs still live, and what can end them. */

import {
  endOfTime,
  isOver,
  type OpenLease,
  openLeases,
  type WrapperState,
  wrapperOf,
} from '../audit/leases/open-leases.ts';
import { numberAt, textAt } from '../audit/record/stored-record.ts';
import { escapeText, toJson } from '../base/escape.ts';
import { statePlace } from '../base/state.ts';
import { columnsOf } from '../ui/columns.ts';
import type { CommandContext } from '../ui/context.ts';
import { withLog } from './audit-log.ts';
import type { Command } from './command.ts';
import { canEndByHandle } from './leases-orphan.ts';

/** What ends a lease, apart from its expiry. */
type EndsBy = 'run' | 'handle' | 'expiry' | 'over';

interface Row {
  readonly lease: OpenLease;
  readonly wrapper: WrapperState;
  readonly endsBy: EndsBy;
}

/** Prints a table, oldest first; with `--json` one object. Reads only. */
export const leases: Command<Record<string, never>> = async (context) => {
  const open = await openLeasesOf(context);
  const { dir } = statePlace(context.ambient, context.admin);
  const now = new Date();
  const rows = await Promise.all(
    open.map(async (lease): Promise<Row> => {
      const wrapper = wrapperOf(lease, dir);
      return { lease, wrapper, endsBy: await endsBy(lease, wrapper, now) };
    }),
  );
  if (context.json) await context.out(`${toJson({ leases: rows.map(toObject) })}\n`);
  else if (rows.length > 0) await context.out(toTable(context, rows));
  else if (!context.quiet) context.err('no lease is open');
  const dead = rows.filter(({ wrapper }) => wrapper === 'dead').length;
  if (dead > 0 && !context.json && !context.quiet)
    context.err(`of runs that died: ${dead}; to close them: capwrap leases reap`);
  return 0;
};

/** The open leases of this user's log; none where there is no log. */
export async function openLeasesOf(context: CommandContext): Promise<readonly OpenLease[]> {
  return (await withLog(context, openLeases)) ?? [];
}

async function endsBy(lease: OpenLease, wrapper: WrapperState, now: Date): Promise<EndsBy> {
  if (wrapper === 'alive') return 'run';
  if (isOver(lease, now)) return 'over';
  return (await canEndByHandle(lease)) ? 'handle' : 'expiry';
}

function toObject({ lease, wrapper, endsBy }: Row): object {
  const { granted, issued, failed } = lease;
  const of = (name: string) => textAt(granted, name) ?? null;
  return {
    lease_id: lease.leaseId,
    capability: of('capability'),
    provider: of('provider'),
    actor: of('actor'),
    task_id: of('task_id'),
    since: of('timestamp'),
    deadline: of('deadline'),
    issued: issued !== null,
    expires_at: issued === null ? null : (textAt(issued, 'expires_at') ?? null),
    principal: issued === null ? null : (textAt(issued, 'principal') ?? null),
    wrapper,
    host: of('host'),
    pid: numberAt(granted, 'pid') ?? null,
    ends_by: endsBy,
    end_failed: failed,
  };
}

const HEADINGS = ['LEASE', 'CAPABILITY', 'PROVIDER', 'SINCE', 'EXPIRES', 'RUN', 'END'];

const END_WORDS: Readonly<Record<EndsBy, string>> = {
  run: 'with its run',
  handle: 'capwrap leases end, or its expiry',
  expiry: 'only its expiry',
  over: 'its time is over',
};

function toTable(context: CommandContext, rows: readonly Row[]): string {
  const { bold, green, yellow } = context.colors.stdout;
  const cells = rows.map(toCells);
  const line = columnsOf(HEADINGS, cells);
  const body = rows.map(({ wrapper }, at) => (wrapper === 'alive' ? green : yellow)(line(cells[at] ?? [])));
  return `${[bold(line(HEADINGS)), ...body].join('\n')}\n`;
}

function toCells({ lease, wrapper, endsBy }: Row): string[] {
  const { granted, issued, failed } = lease;
  const cell = (name: string) => escapeText(textAt(granted, name) ?? '-');
  const pid = numberAt(granted, 'pid') ?? '-';
  const expiry = endOfTime(lease);
  return [
    escapeText(lease.leaseId),
    cell('capability'),
    cell('provider'),
    short(cell('timestamp')),
    issued === null || Number.isNaN(expiry.getTime()) ? 'not recorded' : short(expiry.toISOString()),
    wrapper === 'alive'
      ? `process ${pid}`
      : wrapper === 'dead'
        ? 'died'
        : `unknown: process ${pid} on ${cell('host')}`,
    `${END_WORDS[endsBy]}${failed ? ', ending it has failed' : ''}`,
  ];
}

function short(time: string): string {
  return time.replace('T', ' ').replace(/\.\d+Z$/, 'Z');
}
