/** `capwrap audit export`: records or leases for a spreadsheet or a script. */

import type { ExportForm } from '../audit/export/export.ts';
import { escapeJson, escapeText } from '../base/escape.ts';
import { writeOutputFile } from '../base/output-file.ts';
import { plural } from '../base/plural.ts';
import { CapwrapError } from '../errors.ts';
import type { CommandContext } from '../ui/context.ts';
import { type AuditFilterOptions, toFilter } from './audit-filter.ts';
import { withLog } from './audit-log.ts';
import { outputPlace } from './output-place.ts';

export interface AuditExportOptions extends AuditFilterOptions {
  readonly format: 'csv' | 'jsonl';
  /** What a row of a CSV is; leases where it isn't given. */
  readonly rows?: 'leases' | 'records' | undefined;
  /** Where to; standard output where it isn't given, or is `-`. */
  readonly output?: string | undefined;
}

/**
 * Writes what fits. 0; 1 where a line of the log is no record, which is left out, or where there is no log. Throws ERR_USAGE
 * for options that make no sense together, ERR_OUTPUT_WRITE where the file can't be written.
 */
export async function auditExport(context: CommandContext, options: AuditExportOptions): Promise<number> {
  const form = formOf(options);
  const filter = toFilter(options, 'capwrap audit export', new Date());
  const { output: given = '-' } = options;
  const output = given === '-' ? null : outputPlace(context, given);
  const { exportLog } = await import('../audit/export/export.ts');
  const tally = { lines: 0, rows: 0, unreadable: 0 };
  const found = await withLog(context, async (book) => {
    const pieces = exportLog(book, form, filter, tally);
    if (output !== null) return writeOutputFile(output, pieces);
    const bare = context.terminal && options.format === 'jsonl';
    for (const piece of pieces) await context.out(bare ? escapeJson(piece) : piece);
  });
  if (found === null) return 1;
  const { rows, unreadable } = tally;
  if (output !== null && !context.quiet)
    await context.out(`wrote ${plural(rows, 'row')} to ${escapeText(output)}\n`);
  if (unreadable === 0) return 0;
  const what = `lines that are no record and were left out: ${unreadable}`;
  context.err(`capwrap: warning: ${what}; see capwrap audit verify`);
  return 1;
}

function formOf({ format, rows }: AuditExportOptions): ExportForm {
  if (format === 'csv') return rows === 'records' ? 'record_table' : 'lease_table';
  if (rows !== 'leases') return 'lines';
  throw new CapwrapError('ERR_USAGE', '"--rows leases" is for CSV: JSON lines are the records of the log', {
    hint: 'capwrap audit list --json has one object for each lease',
  });
}
