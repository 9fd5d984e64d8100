import { CapwrapError } from '../errors.ts';

/** The same error with every registered secret masked in its words; an unforeseen error is passed on as it is. */
export function maskedError(error: unknown, mask: (text: string) => string): unknown {
  if (!(error instanceof CapwrapError)) return error;
  return new CapwrapError(error.code, mask(error.message), {
    hint: error.hint === undefined ? undefined : mask(error.hint),
    issuedUntil: error.issuedUntil,
  });
}
