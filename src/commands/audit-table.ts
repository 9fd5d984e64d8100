/** Rows of the log as a table. */

import { type AuditRow, partOf, textOf } from '../audit/leases/row.ts';
import { leaksOf } from '../audit/leases/row-filter.ts';
import { escapeText } from '../base/escape.ts';
import type { CommandContext } from '../ui/context.ts';
import { fitTo, fitWidths, textWidth } from '../ui/text-width.ts';

interface Column {
  readonly heading: string;
  readonly cell: (row: AuditRow) => string;
  /** What it keeps where the terminal is narrow; one without stays whole. */
  readonly least?: number;
  /** No cell is wider, however wide the terminal is. */
  readonly most?: number;
  /** Those with a low number are the first that a narrow terminal goes without. */
  readonly rank?: number;
}

const field = (heading: string, name: string, limits: Pick<Column, 'least' | 'rank'> = {}): Column => ({
  heading,
  cell: (row) => textOf(row, name) ?? '-',
  ...limits,
});

const COLUMNS: readonly Column[] = [
  { heading: 'STARTED', cell: ({ started }) => shortTime(started) },
  field('LEASE', 'lease_id'),
  field('CAPABILITY', 'capability', { least: 8 }),
  field('REPO', 'repo', { least: 8, rank: 4 }),
  field('BRANCH', 'branch', { least: 6, rank: 1 }),
  field('ENV', 'environment', { least: 5, rank: 2 }),
  field('ACTOR', 'actor', { least: 6, rank: 3 }),
  { heading: 'APPROVED', cell: approvalOf, least: 8, rank: 5 },
  { heading: 'CHILD', cell: childOf, rank: 6 },
  { heading: 'END', cell: endOf, least: 10, most: 120 },
];

/** A table that is made piece by piece; a column that has become wide stays so. */
export interface Table {
  /** The next rows, one line each; the first time under the headings. */
  add(rows: readonly AuditRow[]): string;
  /** Headings of the columns that found no room on the terminal. */
  leftOut(): readonly string[];
}

export function newTable({ colors, columns: room }: CommandContext): Table {
  const { bold } = colors.stdout;
  const plain = (text: string) => text;
  let wanted = COLUMNS.map(({ heading }) => heading.length);
  let left: readonly string[] = [];
  let begun = false;
  return {
    add(rows) {
      const cells = rows.map((row) => COLUMNS.map(({ cell, most }) => clip(escapeText(cell(row)), most)));
      wanted = wanted.map((width, at) =>
        cells.reduce((widest, row) => Math.max(widest, textWidth(row[at] ?? '')), width),
      );
      const widths = fitWidths(
        COLUMNS.map((column, at) => ({ ...column, width: wanted[at] ?? 0 })),
        room,
        GAP.length,
      );
      left = COLUMNS.flatMap(({ heading }, at) => (widths[at] === 0 ? [heading] : []));
      const line = (texts: readonly string[], tint: (text: string) => string): string => {
        const shown = texts.flatMap((text, at) => (widths[at] ? [fitTo(text, widths[at])] : []));
        return [...shown.slice(0, -1), tint((shown.at(-1) ?? '').trimEnd())].join(GAP);
      };
      const headings = begun
        ? []
        : [
            bold(
              line(
                COLUMNS.map(({ heading }) => heading),
                plain,
              ),
            ),
          ];
      begun = true;
      const body = rows.map((row, at) => line(cells[at] ?? [], tintOf(row)));
      return `${[...headings, ...body].join('\n')}\n`;
    },
    leftOut: () => left,
  };

  function tintOf(row: AuditRow) {
    const { green, red, yellow } = colors.stdout;
    const alarms = row.status === 'denied' || row.value('verdict') === 'reuse_detected' || leaksOf(row) > 0;
    if (alarms || row.value('outcome') === 'revoke_failed') return red;
    return row.status === 'unfinished' || row.value('error') !== undefined ? yellow : green;
  }
}

const GAP = '  ';

function clip(text: string, most = 40): string {
  return textWidth(text) <= most ? text : fitTo(text, most).trimEnd();
}

export function shortTime(time: string): string {
  return time.replace('T', ' ').replace(/\.\d+Z$/, 'Z');
}

/** Who approved, and how strongly. */
function approvalOf(row: AuditRow): string {
  if (row.value('approval') !== 'granted') return '-';
  return `${textOf(row, 'approver') ?? 'unknown'} (${textOf(row, 'approval_grade') ?? 'unknown'})`;
}

function childOf(row: AuditRow): string {
  const signal = partOf(row, 'child', 'signal');
  if (typeof signal === 'string') return signal;
  const code = partOf(row, 'child', 'exit_code');
  return typeof code === 'number' ? `exit ${code}` : '-';
}

function endOf(row: AuditRow): string {
  const { status } = row;
  if (status === 'denied') return `denied: ${textOf(row, 'reason') ?? '-'}`;
  if (status === 'reconciled') return `reconciled: ${textOf(row, 'verdict') ?? '-'}`;
  if (status !== 'closed' && status !== 'ended') return status;
  const outcome = textOf(row, 'outcome') ?? '-';
  const at =
    outcome === 'expires' || outcome === 'expired' ? ` ${shortTime(textOf(row, 'expires_at') ?? '')}` : '';
  const error = partOf(row, 'error', 'code');
  return [
    `${outcome}${at}`,
    ...(row.value('time_limit_reached') === true ? ['time over'] : []),
    ...(leaksOf(row) > 0 ? [`secrets masked: ${leaksOf(row)}`] : []),
    ...(typeof error === 'string' ? [error] : []),
  ].join(', ');
}
