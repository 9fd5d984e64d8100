/** What the audit commands share: the log of this user, opened for reading. */

import { type LogBook, withBook } from '../audit/log/book.ts';
import { auditLogPath } from '../audit/log/log.ts';
import { escapeText } from '../base/escape.ts';
import { statePlace } from '../base/state.ts';
import type { CommandContext } from '../ui/context.ts';

/** Where this user's log is; touches nothing. */
export function logPathOf(context: CommandContext): string {
  return auditLogPath(statePlace(context.ambient, context.admin).dir);
}

/**
 * Runs `action` on the log; where there is none, says so on standard error and returns null. A command that tells what is in
 * the log ends with 1 then: one that was removed must not look like one in which nothing happened.
 */
export async function withLog<T>(
  context: CommandContext,
  action: (book: LogBook) => T | Promise<T>,
): Promise<T | null> {
  const path = logPathOf(context);
  const result = await withBook(path, action);
  if (result === null && !context.quiet) context.err(`there is no audit log yet: ${escapeText(path)}`);
  return result;
}
