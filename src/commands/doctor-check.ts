/** One finding of `capwrap doctor`. */
import { CapwrapError } from '../errors.ts';

const CHECK_STATUSES = ['ok', 'warning', 'problem', 'skipped'] as const;
/** `problem`: a run would be refused or fail; `warning`: it works and somebody should know; `skipped`: not looked at. */
export type CheckStatus = (typeof CHECK_STATUSES)[number];

export interface Check {
  /** Stable name: `state`, `git.branch`, `source profile:agent-base`. */
  readonly name: string;
  readonly status: CheckStatus;
  /** One sentence or fact; never a secret. */
  readonly detail: string;
  /** A command to type or a line to change; null where there is nothing to do. */
  readonly fix: string | null;
}

export function check(name: string, status: CheckStatus, detail: string, fix: string | null = null): Check {
  return { name, status, detail, fix };
}

/** Runs one look; a fault becomes a problem, so that one broken thing never hides the others. */
export async function look(name: string, action: () => Check | Promise<Check>): Promise<Check> {
  try {
    return await action();
  } catch (error) {
    return faultCheck(name, error);
  }
}

/** The same for what no run waits for: a fault is no problem of one. */
export async function lookAside(name: string, action: () => Check | Promise<Check>): Promise<Check> {
  const found = await look(name, action);
  return found.status === 'problem' ? { ...found, status: 'warning' } : found;
}

/** A thrown fault as a finding; of an error that nobody foresaw only its name is shown. */
export function faultCheck(name: string, error: unknown): Check {
  if (error instanceof CapwrapError) return check(name, 'problem', error.message, error.hint ?? null);
  return check(
    name,
    'problem',
    `could not be looked at (${error instanceof Error ? error.name : 'unknown error'})`,
  );
}
