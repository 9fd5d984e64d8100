/** The end of a program that was to print a lease → what it printed, or the error that says what to change. */

import { type JsonObject, objectInBytes } from '../../../base/json-object.ts';
import type { ProgramEnd } from '../../../base/run-program.ts';
import { CapwrapError, type ErrorCode } from '../../../errors.ts';
import type { CommandConfig } from '../../../policy/providers/command.ts';
import type { IssueRequest } from '../../provider.ts';
import { byHand, faultWords, nameOf } from './program.ts';

/** sysexits(3): with these a program says that it has issued nothing. */
const EX_TEMPFAIL = 75;
const EX_NOPERM = 77;

/**
 * Throws ERR_PROVIDER_REFUSED, ERR_PROVIDER_UNAVAILABLE, ERR_PROVIDER_TIMEOUT or ERR_PROVIDER_INVALID_RESPONSE. Whatever
 * a program ends with beside those two statuses says nothing about what it has done before.
 */
export function assertPrinted(
  end: ProgramEnd,
  config: CommandConfig,
  { deadline }: IssueRequest,
  timeoutMs: number,
): JsonObject {
  const { argv } = config;
  const fault = faultWords(end, timeoutMs);
  const document = end.kind === 'exited' && fault === null ? objectInBytes(end.output) : null;
  if (document !== null) return document;
  const text = `${nameOf(argv)} ${fault ?? 'printed something that is not a JSON object'}`;
  if (issuedNothing(end)) throw new CapwrapError(codeOf(end), text, { hint: hintFor(end, argv) });
  throw new CapwrapError(codeOf(end), `${text}; it may have issued a credential unseen`, {
    hint: hintFor(end, argv),
    issuedUntil: deadline, // as far as was asked
  });
}

function issuedNothing(end: ProgramEnd): boolean {
  if (end.kind === 'not_started') return true;
  return end.kind === 'exited' && (end.status === EX_TEMPFAIL || end.status === EX_NOPERM);
}

function codeOf(end: ProgramEnd): ErrorCode {
  switch (end.kind) {
    case 'exited':
      if (end.status === 0) return 'ERR_PROVIDER_INVALID_RESPONSE';
      return end.status === EX_NOPERM ? 'ERR_PROVIDER_REFUSED' : 'ERR_PROVIDER_UNAVAILABLE';
    case 'timeout':
    case 'aborted':
      return 'ERR_PROVIDER_TIMEOUT';
    case 'too_large':
      return 'ERR_PROVIDER_INVALID_RESPONSE';
    case 'not_started':
    case 'killed':
      return 'ERR_PROVIDER_UNAVAILABLE';
  }
}

function hintFor(end: ProgramEnd, argv: readonly string[]): string {
  if (end.kind === 'not_started') {
    return 'look at argv in the map: the path, its mode (chmod +x), and its first line';
  }
  if (end.kind === 'exited' && end.status === EX_TEMPFAIL) return 'try again later';
  if (end.kind === 'timeout') return 'where it takes that long, write a longer timeout in the map';
  return byHand(argv);
}
