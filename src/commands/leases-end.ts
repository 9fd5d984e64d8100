/** `capwrap leases end ID`: ends one lease now; where its run lives, the run is asked to end, too. */

import { type OpenLease, wrapperOf } from '../audit/leases/open-leases.ts';
import { listRows } from '../audit/leases/rows.ts';
import { textAt } from '../audit/record/stored-record.ts';
import { escapeText, toJson } from '../base/escape.ts';
import { isRunningHere, parseHolder } from '../base/lock-holder.ts';
import { CapwrapError } from '../errors.ts';
import type { CommandContext } from '../ui/context.ts';
import { openStateFor } from '../ui/open-state.ts';
import { withLog } from './audit-log.ts';
import type { Command } from './command.ts';
import { openLeasesOf } from './leases.ts';
import { endOrphan, type OrphanResult } from './leases-orphan.ts';
import { resultFields, resultWords } from './leases-reap.ts';

/** A run has the time from TERM to KILL and that for the end of its lease. */
const RUN_ENDS_WITHIN_MS = 45_000;

/**
 * The start of the id is enough. 0 where the lease has ended, be it before; 1 where it lives on, until its expiry or
 * because its end failed. Throws ERR_USAGE where no lease, or more than one open one, has that id.
 */
export const leasesEnd: Command<{ readonly id: string }> = async (context, { id }) => {
  const { dir } = openStateFor(context);
  const lease = openOne(await openLeasesOf(context), id);
  const leaseId = lease?.leaseId ?? (await endedOne(context, id));
  const result: OrphanResult =
    lease === null
      ? { kind: 'closed' }
      : wrapperOf(lease, dir) === 'alive'
        ? await endRunning(context, dir, lease)
        : await endOrphan(context, dir, lease, 'asked');
  if (context.json) await context.out(`${toJson({ lease_id: leaseId, ...resultFields(result) })}\n`);
  else await context.out(`${escapeText(leaseId)}  ${resultWords(result)}\n`);
  return hasEnded(result) ? 0 : 1;
};

/** False where the credential may live on. */
function hasEnded(result: OrphanResult): boolean {
  if (result.kind === 'run') return !['expires', 'revoke_failed'].includes(result.outcome);
  return result.kind === 'ended' || result.kind === 'closed';
}

/** Null where none is open. */
function openOne(open: readonly OpenLease[], id: string): OpenLease | null {
  const [lease = null, another] = isStart(id) ? open.filter(({ leaseId }) => leaseId.startsWith(id)) : [];
  if (another === undefined) return lease;
  throw new CapwrapError('ERR_USAGE', `"${id}" is the start of more than one open lease`, {
    hint: 'capwrap leases',
  });
}

async function endedOne(context: CommandContext, id: string): Promise<string> {
  const list = isStart(id) ? await withLog(context, (fd) => listRows(fd, { lease: id }, 1)) : null;
  const leaseId = textAt(list?.rows[0]?.record ?? {}, 'lease_id');
  if (leaseId !== undefined) return leaseId;
  throw new CapwrapError('ERR_USAGE', `"${escapeText(id)}" is no lease`, { hint: 'capwrap leases' });
}

function isStart(id: string): boolean {
  return /^[0-9a-f]{4,16}$/.test(id);
}

/**
 * The run is asked to end, as by a person who types Ctrl-C: its child goes first, and it closes the lease itself, with
 * the credential at hand. A second time makes it end the child by force. What has no end by then is ended by handle.
 */
async function endRunning(
  context: CommandContext,
  stateDir: string,
  lease: OpenLease,
): Promise<OrphanResult> {
  const over = Date.now() + RUN_ENDS_WITHIN_MS;
  for (const until of [Date.now() + SECOND_TERM_MS, over]) {
    askToEnd(lease);
    while (Date.now() < until) {
      const died = wrapperOf(lease, stateDir) === 'dead';
      const closed = await closedBy(context, lease.leaseId);
      if (closed !== null) return closed;
      if (died) return endOrphan(context, stateDir, lease, 'asked');
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
  }
  const result = await endOrphan(context, stateDir, lease, 'asked');
  return result.kind === 'open' ? { ...result, why: `its run goes on; ${result.why}` } : result;
}

/** Soon enough to be taken for asking again (REPEATED_WITHIN_MS of signals.ts). */
const SECOND_TERM_MS = 3_000;
const LOOK_AGAIN_MS = 100;

/** Nothing but the very process that holds the lease is signalled. */
function askToEnd({ granted }: OpenLease): void {
  const holder = parseHolder(textAt(granted, 'owner') ?? '');
  if (holder === null || !isRunningHere(holder)) return;
  try {
    process.kill(holder.pid, 'SIGTERM');
  } catch {
    // it has ended just now
  }
}

/** What the run's own `closed` says; null while there is none. */
async function closedBy(context: CommandContext, leaseId: string): Promise<OrphanResult | null> {
  const list = await withLog(context, (fd) => listRows(fd, { lease: leaseId }, 1));
  const [row] = list?.rows ?? [];
  return row?.status === 'closed' ? { kind: 'run', outcome: textAt(row.record, 'outcome') ?? '' } : null;
}
