/**
 * The errors of STS, each as one line that says what to change. Rows are tried in order; the first that fits speaks.
 * Codes: https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html and the pages of both operations.
 */
import type { ErrorCode } from '../../../errors.ts';
import type { StsError } from './error-facts.ts';
import { ACCESS_ERRORS } from './errors-access.ts';
import { PROOF_ERRORS } from './errors-proof.ts';
import { REQUEST_ERRORS } from './errors-request.ts';

export interface ErrorRow {
  readonly codes: readonly string[];
  /** Narrows the row further; absent means that the code is enough. */
  readonly when?: (error: StsError) => boolean;
  readonly error: ErrorCode;
  readonly message: (error: StsError) => string;
  readonly hint?: (error: StsError) => string | undefined;
}

export const ERROR_TABLE: readonly ErrorRow[] = [...ACCESS_ERRORS, ...PROOF_ERRORS, ...REQUEST_ERRORS];
