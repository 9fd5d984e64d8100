/** The map's programs: what each is started with, and how its end is told. */

import { type ProgramEnd, runProgram } from '../../../base/run-program.ts';
import { shellQuote } from '../../../base/shell-quote.ts';
import { SYSTEM_PATH } from '../../../base/system-path.ts';
import type { CommandConfig } from '../../../policy/providers/command.ts';
import { sensitiveName } from '../../../policy/sensitive-names.ts';
import type { BrokerContext } from '../../provider.ts';

/** Larger than any credential that a variable can hold. */
const LARGEST_OUTPUT = 256 * 1024;

export interface Call {
  readonly argv: readonly string[];
  readonly config: CommandConfig;
  /** Goes to standard input as JSON. */
  readonly input: unknown;
  /** capwrap's own variables: public, as everybody on the machine may see them. */
  readonly variables: Readonly<Record<string, string>>;
  readonly timeoutMs: number | null;
}

/** Runs one of the map's programs in the map's folder. Never throws. */
export function callProgram(call: Call, context: BrokerContext): Promise<ProgramEnd> {
  return runProgram({
    argv: call.argv,
    cwd: call.config.folder,
    env: programEnv(call, context),
    input: `${JSON.stringify(call.input)}\n`,
    maxOutput: LARGEST_OUTPUT,
    timeoutMs: call.timeoutMs,
    signal: context.signal,
  });
}

/** A passed variable with the name of a credential is a proof: the masker learns it before it goes anywhere. */
function programEnv({ config, variables }: Call, { env, registerSecret }: BrokerContext) {
  const built: Record<string, string> = Object.create(null);
  built['PATH'] = SYSTEM_PATH;
  for (const name of config.programEnv.pass) {
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (value === undefined || value.startsWith('() {')) continue;
    if (value !== '' && sensitiveName(name) !== null) registerSecret(name, value);
    built[name] = value;
  }
  return { ...built, ...config.programEnv.set, ...variables };
}

/** The program as messages name it. */
export function nameOf(argv: readonly string[]): string {
  return `"${argv[0]}"`;
}

/** How a call went wrong, as the end of a sentence; null for an end with status 0. */
export function faultWords(end: ProgramEnd, timeoutMs: number | null): string | null {
  switch (end.kind) {
    case 'exited':
      return end.status === 0 ? null : `ended with status ${end.status}`;
    case 'not_started':
      return `can't be started (${end.code})`;
    case 'killed':
      return `was ended by ${end.name}`;
    case 'timeout':
      return `printed no lease within ${(timeoutMs ?? 0) / 1000} s`;
    case 'aborted':
      return 'was ended before it was done';
    case 'too_large':
      return `printed more than ${LARGEST_OUTPUT} bytes`;
  }
}

/** What a person does to see the messages of a program that failed. */
export function byHand(argv: readonly string[]): string {
  return `its own messages are not shown, as they may hold secrets; run it by hand: ${argv.map(shellQuote).join(' ')}`;
}
