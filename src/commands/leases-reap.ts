/** `capwrap leases reap`: closes the leases whose run has died. */

import { wrapperOf } from '../audit/leases/open-leases.ts';
import { escapeText, toJson } from '../base/escape.ts';
import { sweepDelivered } from '../runner/delivered-files.ts';
import { openStateFor } from '../ui/open-state.ts';
import type { Command } from './command.ts';
import { openLeasesOf } from './leases.ts';
import { endOrphan, type OrphanResult } from './leases-orphan.ts';

interface Reaped {
  readonly leaseId: string;
  readonly result: OrphanResult;
}

/** 0, or 1 where an end failed. A lease whose run lives, or can't be judged from here, is left alone. */
export const leasesReap: Command<Record<string, never>> = async (context) => {
  const { ambient } = context;
  const { dir } = openStateFor(context);
  sweepDelivered(ambient.env['XDG_RUNTIME_DIR'], ambient.uid);
  const open = await openLeasesOf(context);
  const states = open.map((lease) => ({ lease, wrapper: wrapperOf(lease, dir) }));
  const reaped: Reaped[] = [];
  for (const { lease, wrapper } of states) {
    if (wrapper !== 'dead') continue;
    reaped.push({ leaseId: lease.leaseId, result: await endOrphan(context, dir, lease, 'wrapper_died') });
  }
  const unknown = states.filter(({ wrapper }) => wrapper === 'unknown').length;
  if (context.json) {
    const leases = reaped.map(({ leaseId, result }) => ({ lease_id: leaseId, ...resultFields(result) }));
    await context.out(`${toJson({ leases, unknown })}\n`);
  } else {
    for (const { leaseId, result } of reaped)
      await context.out(`${escapeText(leaseId)}  ${resultWords(result)}\n`);
    if (reaped.length === 0 && !context.quiet) context.err('no lease of a run that died is open');
    if (unknown > 0 && !context.quiet)
      context.err(`left alone, because their runs can't be judged from here: ${unknown}; see capwrap leases`);
  }
  return reaped.some(({ result }) => result.kind === 'failed') ? 1 : 0;
};

/** What became of a lease, in words that claim no more than was seen. */
export function resultWords(result: OrphanResult): string {
  if (result.kind === 'open') return escapeText(`still open: ${result.why}`);
  if (result.kind === 'closed') return 'has ended: see capwrap audit show';
  if (result.kind === 'run') return escapeText(`ended with its run: ${result.outcome}`);
  const { revocation } = result;
  if (revocation === null) return 'closed: no credential is recorded, and the time of any is over';
  const said = [revocation.end, revocation.probe, revocation.error].filter((text) => text !== null);
  return escapeText(`${revocation.outcome}${said.length > 0 ? `: ${said.join('; ')}` : ''}`);
}

/** The same for a tool. */
export function resultFields(result: OrphanResult): object {
  if (result.kind === 'open') return { result: 'open', why: result.why };
  if (result.kind === 'closed') return { result: 'closed' };
  if (result.kind === 'run') return { result: 'ended_with_run', outcome: result.outcome };
  return {
    result: result.kind,
    ...(result.revocation ? { outcome: result.revocation.outcome, revocation: result.revocation } : {}),
  };
}
