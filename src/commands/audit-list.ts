/** `capwrap audit list`: one row per lease, and the denials. */

import { type AuditRow, listRows } from '../audit/leases/rows.ts';
import { numberAt, textAt, valueAt } from '../audit/record/stored-record.ts';
import { escapeText, toJson } from '../base/escape.ts';
import type { CommandContext } from '../ui/context.ts';
import { type AuditFilterOptions, toFilter } from './audit-filter.ts';
import { withLog } from './audit-log.ts';

export interface AuditListOptions extends AuditFilterOptions {
  /** Only the newest so many; all where it isn't given. */
  readonly last?: number | undefined;
}

/** Prints a table, oldest first; with `--json` one object a line. 0, or 1 where a line of the log is no record. */
export async function auditList(context: CommandContext, options: AuditListOptions): Promise<number> {
  const filter = toFilter(options, new Date());
  const list = await withLog(context, (book) => listRows(book, filter, options.last));
  if (list === null) return 0;
  const { rows, more, unreadable } = list;
  if (context.json) {
    for (let at = 0; at < rows.length; at += BATCH) {
      await context.out(
        rows
          .slice(at, at + BATCH)
          .map((row) => `${toJson(toObject(row))}\n`)
          .join(''),
      );
    }
  } else if (rows.length > 0) {
    await context.out(toTable(context, rows));
  }
  if (!context.quiet && !context.json) {
    if (rows.length === 0) context.err('no lease and no denial fits');
    if (more) context.err(`older ones are left out; all of them: without -n`);
  }
  if (unreadable > 0)
    context.err(`capwrap: warning: lines that are no record: ${unreadable}; see capwrap audit verify`);
  return unreadable > 0 ? 1 : 0;
}

const BATCH = 500;

const LISTED = [
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
  'ttl_seconds',
  'approval',
  'approval_grade',
  'approver',
  'justification',
  'map_path',
  'map_trust',
  'rule',
  'reason',
  'command',
  'principal',
  'expires_at',
  'outcome',
  'child',
  'masked',
  'time_limit_reached',
  'error',
  'recovered',
  'verdict',
  'provisional',
  'reasons',
  'host',
];

function toObject({ status, started, ended, record }: AuditRow): object {
  const fields = LISTED.map((name) => [name, valueAt(record, name)]).filter(
    ([, value]) => value !== undefined,
  );
  return { status, started, ended, ...Object.fromEntries(fields) };
}

const HEADINGS = ['STARTED', 'LEASE', 'CAPABILITY', 'REPO', 'BRANCH', 'ENV', 'ACTOR', 'CHILD', 'END'];

function toTable(context: CommandContext, rows: readonly AuditRow[]): string {
  const { bold, green, red, yellow } = context.colors.stdout;
  const cells = rows.map(toCells);
  const widths = HEADINGS.map((heading, column) =>
    cells.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), heading.length),
  );
  const line = (texts: readonly string[], tint: (text: string) => string): string =>
    texts
      .map((text, column) => (column === texts.length - 1 ? tint(text) : text.padEnd(widths[column] ?? 0)))
      .join('  ');
  const tintOf = ({ status, record }: AuditRow) => {
    const alarms = status === 'denied' || textAt(record, 'verdict') === 'reuse_detected';
    if (alarms || textAt(record, 'outcome') === 'revoke_failed') return red;
    return status === 'unfinished' || valueAt(record, 'error') !== undefined ? yellow : green;
  };
  const body = rows.map((row, at) => line(cells[at] ?? [], tintOf(row)));
  return `${[bold(line(HEADINGS, (text) => text)), ...body].join('\n')}\n`;
}

function toCells(row: AuditRow): string[] {
  const cell = (name: string) => clip(textAt(row.record, name) ?? '-');
  return [
    clip(row.started.replace('T', ' ').replace(/\.\d+Z$/, 'Z')),
    cell('lease_id'),
    cell('capability'),
    cell('repo'),
    cell('branch'),
    cell('environment'),
    cell('actor'),
    childOf(row),
    escapeText(endOf(row)),
  ];
}

function childOf({ record }: AuditRow): string {
  const signal = textAt(record, 'child', 'signal');
  const code = numberAt(record, 'child', 'exit_code');
  return clip(signal ?? (code === undefined ? '-' : `exit ${code}`));
}

function endOf({ status, record }: AuditRow): string {
  if (status === 'denied') return `denied: ${textAt(record, 'reason') ?? '-'}`;
  if (status === 'reconciled') return `reconciled: ${textAt(record, 'verdict') ?? '-'}`;
  if (status !== 'closed' && status !== 'ended') return status;
  const outcome = textAt(record, 'outcome') ?? '-';
  const at = outcome === 'expires' || outcome === 'expired' ? ` ${textAt(record, 'expires_at') ?? ''}` : '';
  const limit = valueAt(record, 'time_limit_reached') === true ? ', time over' : '';
  const error = textAt(record, 'error', 'code');
  return `${outcome}${at}${limit}${error === undefined ? '' : `, ${error}`}`;
}

/** Escaped, and short enough for a column. */
function clip(text: string): string {
  const safe = escapeText(text);
  return safe.length <= 40 ? safe : `${safe.slice(0, 39)}…`;
}
