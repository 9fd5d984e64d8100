/** The options that say which rows of the log are wanted. */
import type { RowFilter } from '../audit/leases/rows.ts';
import { AUDIT_EVENTS } from '../audit/record/record.ts';
import { OUTCOMES } from '../broker/provider.ts';
import { CapwrapError } from '../errors.ts';
import { parseMoment } from './time-option.ts';

/** As they were typed. */
export interface AuditFilterOptions {
  readonly capability?: string | undefined;
  readonly repo?: string | undefined;
  readonly task?: string | undefined;
  readonly actor?: string | undefined;
  /** RFC 3339 date or time, or a duration back from now. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly outcome?: string | undefined;
  /** The start of a lease id is enough. */
  readonly lease?: string | undefined;
  readonly event?: string | undefined;
}

/** Throws ERR_USAGE for what nothing can fit. */
export function toFilter(options: AuditFilterOptions, now: Date): RowFilter {
  const { capability, repo, task, actor, outcome, lease, event } = options;
  assertOneOf('--outcome', outcome, OUTCOMES);
  assertOneOf('--event', event, AUDIT_EVENTS);
  return {
    capability,
    repo,
    task,
    actor,
    outcome,
    lease,
    event,
    since: parseMoment('--since', options.since, now),
    until: parseMoment('--until', options.until, now),
  };
}

function assertOneOf(option: string, value: string | undefined, allowed: readonly string[]): void {
  if (value === undefined || allowed.includes(value)) return;
  throw new CapwrapError('ERR_USAGE', `"${option}" must be one of ${allowed.join(', ')}`);
}
