import type { ErrorCode } from '../../../errors.ts';
import type { StsError } from './error-facts.ts';

/** One kind of STS error: when it is that, and what to say. */
export interface ErrorRow {
  readonly codes: readonly string[];
  /** Narrows the row further; absent means that the code is enough. */
  readonly when?: (error: StsError) => boolean;
  readonly error: ErrorCode;
  readonly message: (error: StsError) => string;
  readonly hint?: (error: StsError) => string | undefined;
}
