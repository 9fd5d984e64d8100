/** The fields of leases that the page filters, sorts and groups by: for each lease the place of its value. */
import { placeOf, type ReportTable } from '../audit/report/table.ts';

export interface LeaseColumn {
  /** As text, each once. */
  readonly values: readonly string[];
  /** For each lease the place of its value; -1 where it has none. */
  readonly at: Int32Array;
}

/** By the path of a field, its names joined with dots. A field that no lease has is a column of nothing. */
export function leaseColumn(table: ReportTable, path: string): LeaseColumn {
  const column = table.columns.get(path);
  const values = (column?.values ?? []).map(asText);
  const at = Int32Array.from({ length: table.size }, (_, lease) => placeOf(table, column, lease));
  return { values, at };
}

export function valueIn({ values, at }: LeaseColumn, lease: number): string {
  return values[at[lease] ?? -1] ?? '';
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(asText).join(' ');
  return value === null || value === undefined ? '' : JSON.stringify(value);
}
