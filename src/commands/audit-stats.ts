/** `capwrap audit stats`: what the log says of each capability as a whole. */
import { rowTest } from '../audit/leases/row-filter.ts';
import { type CapabilityStats, statsOf } from '../audit/leases/stats.ts';
import { toJson } from '../base/escape.ts';
import type { CommandContext } from '../ui/context.ts';
import { type AuditFilterOptions, filterWords, toFilter } from './audit-filter.ts';
import { withLog } from './audit-log.ts';
import { nothingFits } from './audit-nothing.ts';
import { statsText } from './audit-stats-text.ts';

/** Prints a block per capability; with `--json` one object. 0, or 1 where there is no log, or a line of it is no record. */
export async function auditStats(context: CommandContext, options: AuditFilterOptions): Promise<number> {
  const filter = toFilter(options, COMMAND, new Date());
  const status = await withLog(context, async (book) => {
    const reading = { lines: 0, unreadable: 0 };
    const capabilities = statsOf(book, rowTest(filter), reading);
    const { lines, unreadable } = reading;
    if (context.json) {
      const asked = {
        filter: filterWords(options),
        since: filter.since ?? null,
        until: filter.until ?? null,
      };
      await context.out(
        `${toJson({ ...asked, records: lines, unreadable, capabilities: capabilities.map(toObject) })}\n`,
      );
    } else if (capabilities.length > 0) {
      await context.out(capabilities.map((stats) => statsText(context, stats)).join('\n'));
    }
    const notes = capabilities.length === 0 ? nothingFits(book, options, lines, COMMAND) : [LIMIT];
    if (!context.quiet && !context.json) for (const note of notes) context.err(note);
    if (unreadable > 0)
      context.err(`capwrap: warning: lines that are no record: ${unreadable}; see capwrap audit verify`);
    return unreadable > 0 ? 1 : 0;
  });
  return status ?? 1;
}

const COMMAND = 'capwrap audit stats';

const LIMIT =
  'a scope is what the credential may do; what was done with it is known to the issuer and its service';

function toObject(stats: CapabilityStats): object {
  const { denied, outcomes, children, approvals, ...rest } = stats;
  const tallies = { denied, outcomes, children, approvals };
  const { endedByOther, leaks, requested, granted, used, usedShare, waited, scopes, ...plain } = rest;
  return {
    ...plain,
    ended_by_other: endedByOther,
    leaks,
    ...Object.fromEntries(
      Object.entries(tallies).map(([name, counts]) => [name, Object.fromEntries(counts)]),
    ),
    ttl_seconds: { requested, granted, used },
    ttl_used_share: usedShare,
    approval_wait_seconds: waited,
    scopes,
  };
}
