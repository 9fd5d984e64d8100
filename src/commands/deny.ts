/** `capwrap deny`: says no to a request. */

import { closeRequest } from '../approval/admission.ts';
import { knownRequest } from '../approval/bring.ts';
import { denialRecord } from '../approval/records.ts';
import { openApprovals } from '../approval/store.ts';
import { auditLogFor } from '../audit/open.ts';
import { toJson } from '../base/escape.ts';
import { osUser } from '../base/os-user.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { CapwrapError } from '../errors.ts';
import { openStateFor } from '../ui/open-state.ts';
import type { Command } from './command.ts';

export interface DenyOptions {
  readonly id: string;
  /** For whoever asked, and for the record. */
  readonly reason?: string | undefined;
}

const LONGEST_REASON = 1024;

/**
 * Denies a request, also one that was approved and not yet used up. It stands even where the record can't be written: a
 * "no" must not wait for a disk.
 */
export const deny: Command<DenyOptions> = async (context, { id, reason }) => {
  const { ambient } = context;
  if (reason !== undefined && (reason === '' || reason.length > LONGEST_REASON)) {
    throw new CapwrapError('ERR_USAGE', `"--reason" must have 1 to ${LONGEST_REASON} characters`, {
      hint: `capwrap deny ${shellQuote(id)} --reason "WHY"`,
    });
  }
  const state = openStateFor(context);
  const store = openApprovals(state.dir, ambient.uid);
  const request = knownRequest(store, id);
  const over = await closeRequest(store.ledger, request, 'deny');
  if (over !== null) {
    throw new CapwrapError('ERR_APPROVAL_INVALID', `"${id}" can't be denied any more: it ${over.why}`, {
      hint: 'capwrap approvals --all',
    });
  }
  store.addDenial(id, reason ?? '');
  const log = auditLogFor(context, state);
  try {
    await log.append(denialRecord(request, osUser(ambient.uid), reason ?? null, state), { durable: true });
  } catch (error) {
    if (!(error instanceof CapwrapError)) throw error;
    throw new CapwrapError(error.code, `"${id}" is denied, but that is not recorded: ${error.message}`, {
      hint: error.hint,
    });
  }
  await context.out(context.json ? `${toJson({ id, status: 'denied' })}\n` : `denied ${id}\n`);
  return 0;
};
