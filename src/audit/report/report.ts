/** What a report is made of. */
import type { WrapperState } from '../leases/open-leases.ts';
import type { Verification } from '../log/verify-book.ts';
import type { LeaseFacts } from './lease-facts.ts';
import type { PackedTable, ReportTable } from './table.ts';

/** What the page's own code gets. */
export interface ReportData {
  /** RFC 3339, UTC: when the log was read. Whether a credential is still valid is said as of then. */
  readonly made: string;
  readonly table: PackedTable;
  /** Of each unfinished lease, by its place, whether its capwrap was running then. */
  readonly wrappers: Readonly<Record<number, WrapperState>>;
}

/** What stands in the page whether or not its code runs. */
export interface ReportSummary {
  readonly made: string;
  readonly host: string;
  readonly version: string;
  /** Path of the log. */
  readonly path: string;
  readonly verification: Verification;
  readonly unreadable: number;
  readonly unread: string | null;
  /** Options that limited what went in, as they were given. */
  readonly filter: readonly (readonly [option: string, value: string])[];
  readonly filtered: number;
  readonly tooMany: number;
  readonly table: ReportTable;
  readonly facts: readonly LeaseFacts[];
}
