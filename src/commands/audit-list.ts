/** `capwrap audit list`: one row per lease, and the denials. */
import { type PlacedRow, placeOf, readPlaced } from '../audit/leases/placed-rows.ts';
import type { AuditRow } from '../audit/leases/row.ts';
import { rowTest } from '../audit/leases/row-filter.ts';
import { findRows, type Reading } from '../audit/leases/rows.ts';
import { toJson } from '../base/escape.ts';
import type { CommandContext } from '../ui/context.ts';
import { type AuditFilterOptions, toFilter } from './audit-filter.ts';
import { withLog } from './audit-log.ts';
import { nothingFits } from './audit-nothing.ts';
import { newTable } from './audit-table.ts';

export interface AuditListOptions extends AuditFilterOptions {
  /** Only the newest so many; all where it isn't given. */
  readonly last?: number | undefined;
}

/** Prints a table, oldest first; with `--json` one object a line. 0, or 1 where there is no log, or a line of it is no record. */
export async function auditList(context: CommandContext, options: AuditListOptions): Promise<number> {
  const test = rowTest(toFilter(options, COMMAND, new Date()));
  const status = await withLog(context, async (book) => {
    const reading: Reading = { lines: 0, unreadable: 0 };
    const { places, more } = newest(findRows(book, test, reading), options.last);
    const notes = places.length === 0 ? nothingFits(book, options, reading.lines, COMMAND) : [];
    const leftOut = await print(context, readPlaced(book, places));
    if (leftOut.length > 0) notes.push(`no room for ${leftOut.join(', ')}: a wider terminal, or --json`);
    if (more) notes.push('older ones are left out; all of them: without -n');
    if (!context.quiet && !context.json) for (const note of notes) context.err(note);
    const { unreadable } = reading;
    if (unreadable > 0)
      context.err(`capwrap: warning: lines that are no record: ${unreadable}; see capwrap audit verify`);
    return unreadable > 0 ? 1 : 0;
  });
  return status ?? 1;
}

const COMMAND = 'capwrap audit list';

/** Last first; `more` is true where older ones fit, too. */
function newest(
  found: ReturnType<typeof findRows>,
  limit = Number.POSITIVE_INFINITY,
): { readonly places: readonly PlacedRow[]; readonly more: boolean } {
  const places: PlacedRow[] = [];
  for (const row of found) {
    if (places.length >= limit) return { places, more: true };
    places.push(placeOf(row));
  }
  return { places, more: false };
}

/** How many rows are written at once. */
const BATCH = 200;

/** Returns the columns that found no room. */
async function print(context: CommandContext, rows: Iterable<AuditRow>): Promise<readonly string[]> {
  const table = newTable(context);
  const toText = (batch: readonly AuditRow[]) =>
    context.json ? batch.map((row) => `${toJson(toObject(row))}\n`).join('') : table.add(batch);
  let batch: AuditRow[] = [];
  for (const row of rows) {
    batch.push(row);
    if (batch.length < BATCH) continue;
    await context.out(toText(batch));
    batch = [];
  }
  if (batch.length > 0) await context.out(toText(batch));
  return table.leftOut();
}

/** What a row as JSON may hold, beside `status`, `started` and `ended`; fields of records, as they stand there. */
export const LISTED = [
  'lease_id',
  'parent_lease_id',
  'task_id',
  'actor',
  'repo',
  'branch',
  'commit',
  'environment',
  'capability',
  'provider',
  'scope',
  'ttl_requested',
  'ttl_seconds',
  'approval',
  'approval_grade',
  'approval_id',
  'approver',
  'justification',
  'map_path',
  'map_trust',
  'rule',
  'reason',
  'command',
  'principal',
  'deadline',
  'expires_at',
  'outcome',
  'revocation',
  'child',
  'masked',
  'time_limit_reached',
  'end_reason',
  'error',
  'recovered',
  'rotated',
  'retired',
  'verdict',
  'provisional',
  'reasons',
  'host',
] as const;

function toObject(row: AuditRow): object {
  const { status, started, ended } = row;
  const fields = LISTED.map((name) => [name, row.value(name)]).filter(([, value]) => value !== undefined);
  return { status, started, ended, ...Object.fromEntries(fields) };
}
