/** Which rows are wanted, and what a line's bytes must hold for that. */
import { compilePattern } from '../../policy/pattern.ts';
import { isLeaked, leaksIn } from '../record/leaks.ts';
import { mayHold, type Needle, needleOf } from '../record/needle.ts';
import type { StoredRecord } from '../record/stored-record.ts';
import { type AuditRow, partOf, textOf } from './row.ts';

/**
 * What a row must fit. Texts are exact; with a `*` they are patterns as the map has them (`*` is any run without `/`, `**`
 * any run). `lease` is the start of an id, `event` one of the row's.
 */
export interface RowFilter {
  readonly capability?: string | undefined;
  readonly repo?: string | undefined;
  readonly branch?: string | undefined;
  readonly environment?: string | undefined;
  readonly task?: string | undefined;
  readonly actor?: string | undefined;
  readonly provider?: string | undefined;
  /** One of those who approved. */
  readonly approver?: string | undefined;
  readonly grade?: string | undefined;
  readonly outcome?: string | undefined;
  readonly lease?: string | undefined;
  readonly event?: string | undefined;
  readonly status?: RowTrait | undefined;
  /** First record at or after this. */
  readonly since?: Date | undefined;
  /** First record before this. */
  readonly until?: Date | undefined;
}

/** What a row can be asked for by `status`: how it stands, and what was noticed in it. */
export const ROW_TRAITS = ['unfinished', 'closed', 'ended', 'denied', 'leaked', 'stopped', 'error'] as const;
export type RowTrait = (typeof ROW_TRAITS)[number];

/** The field of a record that each text of a filter is compared with. */
export const FILTER_FIELDS = {
  capability: 'capability',
  repo: 'repo',
  branch: 'branch',
  environment: 'environment',
  task: 'task_id',
  actor: 'actor',
  provider: 'provider',
  approver: 'approver',
  grade: 'approval_grade',
  outcome: 'outcome',
} as const;
export type TextFilter = keyof typeof FILTER_FIELDS;

/** What of a row is looked at. */
export type JudgedRow = Pick<AuditRow, 'status' | 'started' | 'events' | 'value' | 'recordOf'>;

/** A filter, ready to be used on many rows. */
export interface RowTest {
  readonly filter: RowFilter;
  /** False where a row of these lines fits for no reason that their bytes could give. */
  mayFit(lines: readonly Buffer[]): boolean;
  fits(row: JudgedRow): boolean;
}

/** What is wrong with a text that holds a `*` and is no pattern, as the end of a sentence. */
export function patternFaultOf(text: string): string | null {
  const compiled = text.includes('*') ? compilePattern(text) : null;
  return compiled === null || compiled.ok ? null : compiled.reason;
}

/** A text that is no pattern although it holds a `*` fits nothing. */
export function rowTest(filter: RowFilter): RowTest {
  const texts = (Object.keys(FILTER_FIELDS) as TextFilter[]).flatMap((name) => {
    const wanted = filter[name];
    return wanted === undefined ? [] : [textTest(FILTER_FIELDS[name], wanted)];
  });
  const { lease, event, status, since, until } = filter;
  const needles = [
    ...texts.map(({ needle }) => needle),
    ...(lease === undefined ? [] : [needleOf(lease, 'start')]),
  ];
  return {
    filter,
    mayFit: (lines) => needles.every((needle) => lines.some((line) => mayHold(line, needle))),
    fits: (row) =>
      (event === undefined || row.events.includes(event)) &&
      (since === undefined || Date.parse(row.started) >= since.getTime()) &&
      (until === undefined || Date.parse(row.started) < until.getTime()) &&
      (lease === undefined || (textOf(row, 'lease_id') ?? '').startsWith(lease)) &&
      texts.every(({ fits }) => fits(row)) &&
      (status === undefined || hasTrait(row, status)),
  };
}

interface TextTest {
  readonly needle: Needle;
  readonly fits: (row: JudgedRow) => boolean;
}

function textTest(field: string, wanted: string): TextTest {
  const matches = matcherOf(wanted);
  // Of an approval by several, the record names them with commas.
  if (field === 'approver') {
    const fits = (row: JudgedRow) => (textOf(row, field)?.split(',') ?? []).some(matches);
    return { needle: needleOf(wanted.includes('*') ? literalOf(wanted) : wanted, 'part'), fits };
  }
  const fits = (row: JudgedRow) => {
    const value = textOf(row, field);
    return value !== undefined && matches(value);
  };
  const needle = wanted.includes('*') ? needleOf(literalOf(wanted), 'part') : needleOf(wanted, 'whole');
  return { needle, fits };
}

function matcherOf(wanted: string): (value: string) => boolean {
  if (!wanted.includes('*')) return (value) => value === wanted;
  const compiled = compilePattern(wanted);
  return compiled.ok ? compiled.matches : () => false;
}

/** The longest run of characters that stands in every match as it is: those that Unicode writes in one way only. */
function literalOf(pattern: string): string {
  const runs = pattern.match(/[A-JL-Za-z0-9/_.:@-]+/g) ?? [];
  return runs.reduce((longest, run) => (run.length > longest.length ? run : longest), '');
}

function hasTrait(row: JudgedRow, trait: RowTrait): boolean {
  if (trait === 'leaked') return isLeaked(fieldsOf(row, ['masked', 'end_reason', 'error']));
  if (trait === 'stopped') return isStopped(row.recordOf('closed') ?? {});
  if (trait === 'error') return partOf(row, 'error', 'code') !== undefined;
  return row.status === trait;
}

/** How often a secret value stood in the child's output. */
export function leaksOf(row: Pick<AuditRow, 'value'>): number {
  return leaksIn(fieldsOf(row, ['masked']));
}

function fieldsOf(row: Pick<AuditRow, 'value'>, names: readonly string[]): StoredRecord {
  return Object.fromEntries(names.map((name) => [name, row.value(name)]));
}

/** True where capwrap asked the child to end. */
export function isStopped(closed: StoredRecord): boolean {
  return closed['end_reason'] !== undefined || closed['time_limit_reached'] === true;
}
