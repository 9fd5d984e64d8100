/**
 * The errors of STS, each as one line that says what to change. Rows are tried in order; the first that fits speaks.
 * Codes: https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html and the pages of both operations.
 */
import type { ErrorRow } from './error-row.ts';
import { ACCESS_ERRORS } from './errors-access.ts';
import { PROOF_ERRORS } from './errors-proof.ts';
import { REQUEST_ERRORS } from './errors-request.ts';

export const ERROR_TABLE: readonly ErrorRow[] = [...ACCESS_ERRORS, ...PROOF_ERRORS, ...REQUEST_ERRORS];
