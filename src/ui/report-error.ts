/** How an error reaches the user: one line, a hint where there is one, and the exit status. */
import { escapeText, toJson } from '../base/escape.ts';
import { CapwrapError, EXIT_STATUS } from '../errors.ts';
import { writeNow } from './write-now.ts';

interface ReportOptions {
  readonly json: boolean;
  readonly debug: boolean;
}

/** Prints an error to standard error and returns the exit status that belongs to it. Never throws. */
export function reportError(error: unknown, options: ReportOptions): number {
  const { text, status } = errorReport(error, options);
  writeNow(2, text);
  return status;
}

/** What is printed of an error, and the exit status that belongs to it. */
export function errorReport(
  error: unknown,
  options: ReportOptions,
): { readonly text: string; readonly status: number } {
  const known = error instanceof CapwrapError ? error : internal(error);
  const { code, message, hint } = known;
  const lines = options.json
    ? [toJson({ event: 'error', code, message, ...(hint === undefined ? {} : { hint }) })]
    : [
        ...escaped('capwrap: error: ', message),
        ...(hint === undefined ? [] : escaped('capwrap: hint: ', hint)),
        ...(options.debug ? [`capwrap: debug: code=${code}${stackOf(error)}`] : []),
      ];
  return { text: `${lines.join('\n')}\n`, status: EXIT_STATUS[code] };
}

/** A thrown value that nobody foresaw may quote anything, so its text is not shown. */
function internal(error: unknown): CapwrapError {
  const name = error instanceof Error ? error.name : typeof error;
  return new CapwrapError('ERR_INTERNAL', `capwrap failed unexpectedly (${name})`, {
    hint: 'run it again with --debug for the place in the code',
  });
}

/** Places in the code, never the message. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return `\n${frames.join('\n')}`;
}

/** A message may have several lines of its own (all faults of a map); each is escaped by itself. */
function escaped(prefix: string, text: string): string[] {
  return text.split('\n').map((line, index) => `${index === 0 ? prefix : '  '}${escapeText(line)}`);
}
