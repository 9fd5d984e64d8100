/** Which leases fit what was asked for. */
import { type Counted, countsAs, type LeaseFacts, type LeaseState } from '../audit/report/lease-facts.ts';
import type { ReportTable } from '../audit/report/table.ts';
import { type LeaseColumn, leaseColumn } from './lease-columns.ts';

/** Empty where all fit. */
export interface Wanted {
  /** Each of its words must be somewhere in the lease's fields. */
  readonly text: string;
  readonly task: string;
  readonly capability: string;
  readonly repo: string;
  readonly environment: string;
  readonly actor: string;
  readonly state: LeaseState | '';
  readonly grade: string;
  readonly counted: Counted | '';
}

export const ANYTHING: Wanted = {
  text: '',
  task: '',
  capability: '',
  repo: '',
  environment: '',
  actor: '',
  state: '',
  grade: '',
  counted: '',
};

/** A value that can be asked for by itself. */
export const CHOSEN = ['capability', 'repo', 'environment', 'actor'] as const;

/** Asked for leases that have no value. */
export const NONE = '\u0000none';

const SEARCHED = [
  ...['lease_id', 'task_id', 'actor', 'repo', 'branch', 'commit', 'environment', 'capability', 'provider'],
  ...['justification', 'command', 'command_path', 'cwd', 'rule', 'reason', 'said', 'scope', 'principal'],
  ...[
    'session_name',
    'access_key_id',
    'jti',
    'approver',
    'approval_id',
    'error',
    'revocation',
    'reuse',
    'host',
    'map_path',
  ],
];

export interface Searchable {
  readonly size: number;
  readonly facts: readonly LeaseFacts[];
  readonly columns: ReadonlyMap<string, LeaseColumn>;
  /** For each searched column its values in lower case. */
  readonly lower: ReadonlyMap<LeaseColumn, readonly string[]>;
}

export function searchable(table: ReportTable, facts: readonly LeaseFacts[]): Searchable {
  const columns = new Map(SEARCHED.map((path) => [path, leaseColumn(table, path)]));
  const lower = new Map(
    [...columns.values()].map((column) => [column, column.values.map((value) => value.toLowerCase())]),
  );
  return { size: table.size, facts, columns, lower };
}

/** For each lease 1 where it fits, else 0. */
export function fitting(leases: Searchable, wanted: Wanted): Uint8Array {
  const fits = new Uint8Array(leases.size).fill(1);
  const keep = (test: (lease: number) => boolean) => {
    for (let lease = 0; lease < fits.length; lease++) if (fits[lease] === 1 && !test(lease)) fits[lease] = 0;
  };
  for (const name of CHOSEN) {
    const column = leases.columns.get(name);
    if (wanted[name] === '' || !column) continue;
    const place = wanted[name] === NONE ? -1 : column.values.indexOf(wanted[name]);
    // Null is a value, too: that of a fact that could not be told.
    keep(
      (lease) =>
        column.at[lease] === place || (wanted[name] === NONE && column.values[column.at[lease] ?? -1] === ''),
    );
  }
  const { state, grade, counted } = wanted;
  const factsOf = (lease: number) => leases.facts[lease] as LeaseFacts;
  if (state !== '') keep((lease) => factsOf(lease).state === state);
  if (grade !== '') keep((lease) => (factsOf(lease).grade ?? NONE) === grade);
  if (counted !== '') keep((lease) => countsAs(factsOf(lease), counted));
  const task = leases.columns.get('task_id');
  if (wanted.task !== '' && task) keep(hasWord(leases, [task], wanted.task));
  for (const word of wanted.text.split(/\s+/).filter(Boolean))
    keep(hasWord(leases, [...leases.columns.values()], word));
  return fits;
}

/** Looks at each value once, however many leases share it. */
function hasWord(
  { lower }: Searchable,
  columns: readonly LeaseColumn[],
  word: string,
): (lease: number) => boolean {
  const wanted = word.toLowerCase();
  const found = columns.flatMap((column) => {
    const has = Uint8Array.from(lower.get(column) ?? [], (value) => (value.includes(wanted) ? 1 : 0));
    return has.includes(1) ? [{ at: column.at, has }] : [];
  });
  return (lease) => found.some(({ at, has }) => has[at[lease] ?? -1] === 1);
}
