/** An end that nobody asked for. */
import { CapwrapError } from '../errors.ts';

/**
 * Node ends, with status 0, as soon as it has nothing left to wait for, even in the middle of a command. Where it does so
 * before the returned function has been called, `fail` gets the error to end with.
 */
export function failUnanswered(fail: (error: CapwrapError) => void): () => void {
  const unanswered = () =>
    fail(
      new CapwrapError('ERR_INTERNAL', 'capwrap came to its end before it was through', {
        hint: 'capwrap leases (whether a lease is still open)',
      }),
    );
  process.once('beforeExit', unanswered);
  return () => process.off('beforeExit', unanswered);
}
