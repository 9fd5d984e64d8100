/** The options that say which rows of the log are wanted. */
import {
  FILTER_FIELDS,
  patternFaultOf,
  ROW_TRAITS,
  type RowFilter,
  type TextFilter,
} from '../audit/leases/row-filter.ts';
import { AUDIT_EVENTS } from '../audit/record/record.ts';
import { APPROVAL_GRADES } from '../base/approval-grade.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { OUTCOMES } from '../broker/provider.ts';
import { CapwrapError } from '../errors.ts';
import { nearest } from '../policy/suggest.ts';
import { parseMoment } from './time-option.ts';

/** As they were typed. */
export interface AuditFilterOptions extends Partial<Readonly<Record<TextFilter, string | undefined>>> {
  /** RFC 3339 date or time, or a duration back from now. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** The start of a lease id is enough. */
  readonly lease?: string | undefined;
  readonly event?: string | undefined;
  readonly status?: string | undefined;
}

/** Throws ERR_USAGE for what nothing can fit. `command` is what a hint repeats. */
export function toFilter(options: AuditFilterOptions, command: string, now: Date): RowFilter {
  for (const name of Object.keys(FILTER_FIELDS) as TextFilter[]) {
    const fault = patternFaultOf(options[name] ?? '');
    if (fault !== null) {
      throw new CapwrapError('ERR_USAGE', `"--${name} ${options[name]}" ${fault}`, {
        hint: `${command} --${name} '*'`,
      });
    }
  }
  const choose = <Choice extends string>(name: keyof AuditFilterOptions, choices: readonly Choice[]) =>
    oneOf(`--${name}`, options[name], choices, command);
  const filter = {
    ...Object.fromEntries(given(options)),
    outcome: choose('outcome', OUTCOMES),
    grade: choose('grade', APPROVAL_GRADES),
    event: choose('event', AUDIT_EVENTS),
    status: choose('status', ROW_TRAITS),
    since: parseMoment('--since', options.since, now),
    until: parseMoment('--until', options.until, now),
  };
  if (filter.since && filter.until && filter.until <= filter.since)
    throw new CapwrapError('ERR_USAGE', '"--until" is not after "--since"', {
      hint: `${command} --since 2026-01-01 --until 2026-02-01`,
    });
  return filter;
}

/** What was asked for, as it would be typed. */
export function filterWords(options: AuditFilterOptions): string {
  return given(options)
    .map(([name, value]) => `--${name} ${shellQuote(value)}`)
    .join(' ');
}

/** What was asked for, by the name of the option. */
export function given(options: AuditFilterOptions): readonly (readonly [name: string, value: string])[] {
  return NAMES.flatMap((name) => {
    const value = options[name];
    return value === undefined ? [] : [[name, value] as const];
  });
}

const NAMES: readonly (keyof AuditFilterOptions)[] = [
  ...(Object.keys(FILTER_FIELDS) as TextFilter[]),
  'lease',
  'event',
  'status',
  'since',
  'until',
];

function oneOf<Choice extends string>(
  option: string,
  value: string | undefined,
  choices: readonly Choice[],
  command: string,
): Choice | undefined {
  const found = choices.find((choice) => choice === value);
  if (value === undefined || found !== undefined) return found;
  const meant = nearest(value, choices);
  throw new CapwrapError('ERR_USAGE', `"${option}" must be one of ${choices.join(', ')}`, {
    hint: meant === null ? undefined : `${command} ${option} ${meant}`,
  });
}
