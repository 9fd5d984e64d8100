/** An STS error → the words of its row in the table, or of its kind where no row fits. */
import type { ErrorCode } from '../../../errors.ts';
import type { StsError } from './error-facts.ts';
import { ERROR_TABLE } from './error-table.ts';

export interface ErrorWords {
  readonly error: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
}

/** Never throws, and never repeats what AWS wrote beyond the facts that `error-facts.ts` lets through. */
export function explainStsError(error: StsError): ErrorWords {
  const row = ERROR_TABLE.find(({ codes, when }) => codes.includes(error.code) && (when?.(error) ?? true));
  if (row) return { error: row.error, message: row.message(error), hint: row.hint?.(error) };
  const { host } = error.plan.endpoint;
  if (error.status >= 500) {
    return {
      error: 'ERR_PROVIDER_UNAVAILABLE',
      message: `"${host}" answered ${error.status} (${error.code})`,
      hint: 'run the command again',
    };
  }
  return {
    error: 'ERR_PROVIDER_REFUSED',
    message: `"${host}" refused ${error.plan.action} with ${error.code}`,
    hint: `compare what is sent with the map: capwrap explain ${error.plan.capability}`,
  };
}
