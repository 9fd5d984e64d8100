/** One report as the page works with it: what came in, and what is looked up again and again. */
import { type LeaseFacts, leaseFacts } from '../audit/report/lease-facts.ts';
import type { ReportData } from '../audit/report/report.ts';
import { type ReportTable, unpackTable } from '../audit/report/table.ts';
import { STATE_WORDS, VERDICT_WORDS } from '../audit/report/words.ts';
import type { Story } from '../audit/story/story.ts';
import { type Searchable, searchable } from './filters.ts';
import { type LeaseColumn, leaseColumn, valueIn } from './lease-columns.ts';
import { type Span, spanOf } from './spans.ts';
import { storyTeller } from './stories.ts';

export interface ReportView {
  readonly table: ReportTable;
  readonly facts: readonly LeaseFacts[];
  /** When the log was read, in milliseconds. */
  readonly read: number;
  readonly searchable: Searchable;
  /** By start; of leases with a time. */
  readonly spans: readonly Span[];
  /** Null for a lease without a time. */
  spanOf(lease: number): Span | null;
  /** From the first start to the last time at which a credential can be used. */
  readonly range: readonly [from: number, to: number];
  /** The value of a lease under a path; empty where it has none. */
  text(lease: number, path: string): string;
  column(path: string): LeaseColumn;
  story(lease: number): Story;
  /** What is known of the process of an unfinished lease; empty of others. */
  process(lease: number): string;
  /** How it ended, in a few words. */
  ending(lease: number): string;
}

const PROCESS_WORDS = {
  alive: 'its capwrap was still running when the log was read',
  dead: 'its capwrap had died when the log was read',
  unknown: 'whether its capwrap was still running could not be told where the log was read',
} as const;

export function viewOf(data: ReportData): ReportView {
  const table = unpackTable(data.table);
  const facts = leaseFacts(table);
  const read = Date.parse(data.made);
  const search = searchable(table, facts);
  const byLease = facts.map((each, lease) => spanOf(lease, each, data.wrappers[lease] ?? null, read));
  const spans = byLease.filter((span) => span !== null).sort((a, b) => a.start - b.start);
  const columns = new Map(search.columns);
  const column = (path: string): LeaseColumn => {
    const known = columns.get(path) ?? leaseColumn(table, path);
    columns.set(path, known);
    return known;
  };
  return {
    table,
    facts,
    read,
    searchable: search,
    spans,
    spanOf: (lease) => byLease[lease] ?? null,
    range: rangeOf(spans, read),
    text: (lease, path) => valueIn(column(path), lease),
    column,
    story: storyTeller(table, read),
    process: (lease) => (data.wrappers[lease] ? PROCESS_WORDS[data.wrappers[lease]] : ''),
    ending: (lease) => {
      const { state, leaked, verdict } = facts[lease] ?? { state: 'other', leaked: false, verdict: null };
      const detail = state === 'denied' ? valueIn(column('reason'), lease) : '';
      return [
        ...(leaked ? ['leak'] : []),
        ...(verdict ? [VERDICT_WORDS[verdict]] : []),
        detail === '' ? STATE_WORDS[state] : `${STATE_WORDS[state]}: ${detail}`,
      ].join(', ');
    },
  };
}

function rangeOf(spans: readonly Span[], read: number): readonly [number, number] {
  const from = spans[0]?.start ?? read - 3_600_000;
  let to = from + 60_000;
  for (const { until } of spans) to = Math.max(to, until);
  const margin = Math.max(1000, (to - from) * 0.01);
  return [from - margin, to + margin];
}
