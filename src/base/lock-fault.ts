/** What is said of a lock that isn't to be had: only what was seen while waiting for it. */
import { CapwrapError } from '../errors.ts';
import { parseHolder } from './lock-holder.ts';
import { shellQuote } from './shell-quote.ts';

/** One instance of a holder was there the whole time. */
export function heldBy(path: string, other: string, forMs: number): CapwrapError {
  const pid = parseHolder(other)?.pid;
  const who = pid === undefined ? 'by something other than capwrap' : `by process ${pid}`;
  const look = pid === undefined ? '' : `ps -p ${pid}; `;
  return new CapwrapError('ERR_AUDIT_LOCKED', `"${path}" has been held ${who} for ${seconds(forMs)}`, {
    hint: `${look}once no capwrap holds it, in a container or on another machine either: rm ${shellQuote(path)}`,
  });
}

/** It went from hand to hand, always to somebody else. */
export function crowded(path: string, forMs: number): CapwrapError {
  const message = `"${path}" has been held by one process after another for ${seconds(forMs)}`;
  return new CapwrapError('ERR_AUDIT_LOCKED', message, { hint: 'start fewer runs at the same time' });
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
