/** What is said about the child while it runs, and when capwrap has ended it. */
import { formatDuration } from '../base/duration.ts';
import { CapwrapError } from '../errors.ts';

/** How a warning ahead of the end reads. */
export function timeWarning(deadline: Date, leftMs: number): string {
  const left = formatDuration(Math.max(1, Math.round(leftMs / 1000)));
  return `the grant ends in ${left}, at ${deadline.toISOString()}; the command will be ended then`;
}

/** What is lost where the optional package isn't there. */
export const NO_PTY =
  'the optional package of the pseudo-terminal is not installed, so the command writes to a pipe: masked, but without the colours and progress that it keeps for terminals';

/** `on_leak: fail`: the credential is no secret any more, however well the output was masked. */
export function leakError(
  { stdout, stderr }: { readonly stdout: number; readonly stderr: number },
  leaseId: string,
): CapwrapError {
  return new CapwrapError(
    'ERR_LEAK',
    `the command printed a secret (masked: ${stdout} on stdout, ${stderr} on stderr), so its lease and the command were ended`,
    { hint: `capwrap audit show ${leaseId}` },
  );
}

/** What was approved is not what ran, or not for as long as it ran. */
export function changedError(path: string): CapwrapError {
  return new CapwrapError(
    'ERR_COMMAND_CHANGED',
    `"${path}" was changed while the command ran; it was ended`,
    {
      hint: 'capwrap audit list',
    },
  );
}
