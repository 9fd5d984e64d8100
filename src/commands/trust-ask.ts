/** The question on the terminal: the start of a digest, so that a habitual `y` trusts nothing. */
import { askOnTerminal } from '../base/tty.ts';
import { CapwrapError } from '../errors.ts';

const ANSWER_LENGTH = 4;
const ANSWER_TIMEOUT_MS = 5 * 60 * 1000;

export interface DigestQuestion {
  /** What it is about, ready for a terminal; shown where the answer is given, as standard output may lead elsewhere. */
  readonly text: string;
  /** What the answer does: `trust it`. */
  readonly purpose: string;
  readonly sha256: string;
  /** The private folder through which questions on one terminal wait for one another. */
  readonly turnsIn: string;
  /** What did not happen without the right answer, for the error: `"/repo/capabilities.yaml" was not pinned`. */
  readonly undone: string;
  /** Called before the error where there is no terminal; returns the hint of it. */
  readonly withoutTerminal: () => Promise<string | undefined>;
}

/** Returns once the person has typed the first characters of the digest. Throws ERR_MAP_UNTRUSTED for any other end. */
export async function askForDigest(question: DigestQuestion): Promise<void> {
  const { text, purpose, sha256, turnsIn, undone } = question;
  const prompt = `Type the first ${ANSWER_LENGTH} characters of the sha256 to ${purpose}: `;
  const answer = await askOnTerminal(`${text}\n${prompt}`, { timeoutMs: ANSWER_TIMEOUT_MS, turnsIn });
  if (answer.kind === 'answer' && answer.text.trim().toLowerCase() === sha256.slice(0, ANSWER_LENGTH)) return;
  const why = {
    answer: `the answer was not the first ${ANSWER_LENGTH} characters of its sha256`,
    no_terminal: 'there is no terminal to ask on',
    timeout: 'nobody answered in time',
    interrupted: 'the question was interrupted',
  }[answer.kind];
  const hint = answer.kind === 'no_terminal' ? await question.withoutTerminal() : undefined;
  throw new CapwrapError('ERR_MAP_UNTRUSTED', `${undone}: ${why}`, { hint });
}
