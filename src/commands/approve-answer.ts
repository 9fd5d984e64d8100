/** The answer of whoever approves: typed on the terminal, signed now, or signed before and brought in files. */
import { resolve } from 'node:path';
import { type Answer, LARGEST_ANSWER } from '../approval/answer.ts';
import { askHere } from '../approval/ask-here.ts';
import { APPROVAL_NAMESPACE, type ApprovalTerms, statementText } from '../approval/statement.ts';
import { formatDuration } from '../base/duration.ts';
import { readForeignFile } from '../base/foreign-file.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { CapwrapError, systemErrorCode } from '../errors.ts';
import type { CommandContext } from '../ui/context.ts';
import type { Desk } from './approve-desk.ts';

export interface HowToAnswer {
  /** A private key, or a public one whose private key the agent holds. */
  readonly key?: string | undefined;
  /** A statement whose signature stands beside it, in `<file>.sig`. */
  readonly signed?: string | undefined;
  readonly uses?: number | undefined;
  /** Seconds. */
  readonly for?: number | undefined;
}

/** As asked for, or one run within the hour; throws ERR_USAGE for more than the rule permits. */
export function termsFor({ demand }: Desk, { uses = 1, for: stands }: HowToAnswer, now: Date): ApprovalTerms {
  const seconds = stands ?? Math.min(DEFAULT_STANDS, demand.standsFor);
  if (uses > demand.uses) {
    throw new CapwrapError(
      'ERR_USAGE',
      `"--uses ${uses}" is more than the ${demand.uses} that the rule permits`,
      { hint: `--uses ${demand.uses}` },
    );
  }
  if (seconds > demand.standsFor) {
    const most = formatDuration(demand.standsFor);
    throw new CapwrapError(
      'ERR_USAGE',
      `"--for ${formatDuration(seconds)}" is longer than the ${most} that the rule permits`,
      { hint: `--for ${most}` },
    );
  }
  return { uses, not_after: new Date(now.getTime() + seconds * 1000).toISOString() };
}

const DEFAULT_STANDS = 3600;
const TIMEOUT_MS = 15 * 60 * 1000;

/** Throws where there is no answer: nobody typed it, the key didn't sign, or the rule needs another way. */
export async function answerFrom(
  context: CommandContext,
  desk: Desk,
  how: HowToAnswer,
  terms: ApprovalTerms,
): Promise<Answer> {
  const { request, demand, local } = desk;
  if (how.signed !== undefined) return signedBefore(resolve(context.ambient.cwd, how.signed), how.signed);
  if (how.key === undefined && (demand.kind === 'signed' || !local)) {
    throw new CapwrapError(
      'ERR_APPROVAL_INVALID',
      `"${request.id}" needs a signature of grade ${demand.grade}`,
      {
        hint: `${commandFor(desk)} --key ~/.ssh/id_ed25519`,
      },
    );
  }
  const { ambient } = context;
  const here = { request, previous: desk.previous, terms, uid: ambient.uid };
  const reply = await askHere({ ...here, timeoutMs: TIMEOUT_MS, turnsIn: desk.state.dir });
  if (reply.kind !== 'approved') throw notApproved(request.id, reply.kind);
  if (how.key === undefined) return reply.answer;
  const { signWithSshKeygen } = await import('../sshsig/sign.ts');
  const statement = statementText(request, terms);
  const signature = await signWithSshKeygen({
    keyFile: how.key,
    namespace: APPROVAL_NAMESPACE,
    message: Buffer.from(statement),
    env: ambient.env,
    cwd: ambient.cwd,
  });
  return { kind: 'signed', statement, signature };
}

function notApproved(id: string, kind: 'denied' | 'no_terminal' | 'timeout' | 'interrupted'): CapwrapError {
  const why = {
    denied: 'was not approved: the answer was not the end of its id',
    no_terminal: 'was not approved: there is no terminal to ask on',
    timeout: 'was not approved: nobody answered in time',
    interrupted: 'was not approved: the question was interrupted',
  }[kind];
  const hint = {
    denied: `capwrap deny ${id}, to say no`,
    no_terminal: 'run it in a terminal, or sign a statement: see "capwrap approve --help"',
    timeout: undefined,
    interrupted: undefined,
  }[kind];
  return new CapwrapError('ERR_APPROVAL_DENIED', `"${id}" ${why}`, { hint });
}

function commandFor({ request, local }: Desk): string {
  return local ? `capwrap approve ${request.id}` : 'capwrap approve --request FILE';
}

function signedBefore(path: string, named: string): Answer {
  const hint = `ssh-keygen -Y sign -n ${APPROVAL_NAMESPACE} -f KEY ${shellQuote(named)}`;
  const read = (file: string) => {
    try {
      const text = readForeignFile(file, LARGEST_ANSWER);
      if (text !== null) return text;
    } catch (error) {
      const code = systemErrorCode(error) ?? 'unknown error';
      throw new CapwrapError('ERR_USAGE', `"${file}" can't be read (${code})`, { hint });
    }
    throw new CapwrapError('ERR_USAGE', `"${file}" is too large to be a statement or a signature`, { hint });
  };
  return { kind: 'signed', statement: read(path), signature: read(`${path}.sig`) };
}
