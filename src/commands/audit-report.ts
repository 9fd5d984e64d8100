/** `capwrap audit report`: the log as one page for a browser. */
import { hostname } from 'node:os';
import type { RowFilter } from '../audit/leases/row-filter.ts';
import { verifyLog } from '../audit/log/verify.ts';
import { collectLeases, REPORT_LIMITS, type ReportLimits } from '../audit/report/collect.ts';
import { leaseFacts } from '../audit/report/lease-facts.ts';
import { reportPage } from '../audit/report/page.ts';
import { unpackTable } from '../audit/report/table.ts';
import { escapeText, toJson } from '../base/escape.ts';
import { writeOutputFile } from '../base/output-file.ts';
import { readShippedFile } from '../base/shipped-file.ts';
import { statePlace } from '../base/state.ts';
import { VERSION } from '../base/version.ts';
import type { CommandContext } from '../ui/context.ts';
import { type AuditFilterOptions, given, toFilter } from './audit-filter.ts';
import { logPathOf, withLog } from './audit-log.ts';
import { outputPlace } from './output-place.ts';

export interface AuditReportOptions extends Omit<AuditFilterOptions, 'event' | 'status'> {
  /** `-` for standard output. */
  readonly output: string;
}

/** Writes the page. 0; 1 where there is no log, where its chain isn't whole, or where a line of it is no record. */
export async function auditReport(
  context: CommandContext,
  options: AuditReportOptions,
  limits: ReportLimits = REPORT_LIMITS,
): Promise<number> {
  const now = new Date();
  const filter: RowFilter = toFilter(options, 'capwrap audit report', now);
  const { dir } = statePlace(context.ambient, context.admin);
  const target = options.output === '-' ? null : outputPlace(context, options.output);
  const frame = readShippedFile('dist', 'report.html').toString('utf8');
  const collected = await withLog(context, (book) => collectLeases(book, filter, dir, limits));
  if (collected === null) return 1;
  // Behind the look at the records: whatever is shown has been checked.
  const verification = await verifyLog(logPathOf(context));
  const { table: packed, wrappers, filtered, tooMany, unreadable, unread } = collected;
  const table = unpackTable(packed);
  const facts = leaseFacts(table);
  const made = now.toISOString();
  const summary = {
    made,
    host: hostname(),
    version: VERSION,
    path: logPathOf(context),
    verification,
    unreadable,
    unread,
    filter: given(options).map(([name, value]) => [`--${name}`, value] as const),
    filtered,
    tooMany,
    table,
    facts,
  };
  const pieces = reportPage(frame, summary, { made, table: packed, wrappers });
  if (target === null) for (const piece of pieces) await context.out(piece);
  else writeOutputFile(target, pieces);
  const ok = verification.ok && unreadable === 0 && unread === null;
  const counts = { rows: facts.length, filtered, too_many: tooMany, unreadable, chain_ok: verification.ok };
  if (context.json && target !== null) await context.out(`${toJson({ path: target, ...counts })}\n`);
  else if (!context.quiet) tell(context, target, counts);
  if (!ok)
    context.err('capwrap: warning: the log is not whole, and the page says so; see capwrap audit verify');
  return ok ? 0 : 1;
}

function tell(
  context: CommandContext,
  target: string | null,
  counts: { readonly rows: number; readonly filtered: number; readonly too_many: number },
): void {
  const { rows, filtered, too_many: tooMany } = counts;
  if (target !== null) context.err(`${escapeText(target)}: leases and denials: ${rows}`);
  if (filtered > 0) context.err(`left out by the filter: ${filtered}`);
  if (tooMany > 0) {
    context.err(`left out as too many for a page, the oldest: ${tooMany}; use --since and --until`);
  }
}
