/** The code of an MFA device, from the person at the terminal. */
import { escapeText } from '../../../base/escape.ts';
import { askOnTerminal } from '../../../base/tty.ts';
import { CapwrapError } from '../../../errors.ts';
import type { BrokerContext } from '../../provider.ts';

/** A device shows another code every half minute; this is for finding the device. */
const TIMEOUT_MS = 120_000;
const ATTEMPTS = 3;

/**
 * Asks for the six digits, again where something else was typed. They work once and for a moment, so they are neither
 * kept nor registered with the masker, which would hide every such number in the output. Throws ERR_SOURCE_UNAVAILABLE
 * without a terminal, and where nobody answers.
 */
export async function askMfaCode(serial: string, label: string, context: BrokerContext): Promise<string> {
  const device = `MFA device ${escapeText(serial)}`;
  const fail = (what: string, hint: string) =>
    new CapwrapError(
      'ERR_SOURCE_UNAVAILABLE',
      `source "${label}" needs a code of MFA device "${serial}", ${what}`,
      {
        hint,
      },
    );
  let question = `capwrap: code of ${device}: `;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const reply = await askOnTerminal(question, {
      timeoutMs: TIMEOUT_MS,
      turnsIn: context.stateDir,
      signal: context.signal,
    });
    if (reply.kind === 'no_terminal') {
      throw fail(
        'and there is no terminal to ask on',
        'run it from a terminal; where nobody sits at one, name a source that needs no MFA, such as github-actions',
      );
    }
    if (reply.kind !== 'answer') {
      throw fail(
        reply.kind === 'timeout' ? 'and nobody typed one' : 'and the question was broken off',
        'run the command again',
      );
    }
    const code = reply.text.replace(/\s/g, '');
    if (/^\d{6}$/.test(code)) return code;
    question = `capwrap: that is no code; six digits of ${device}: `;
  }
  throw fail('and what was typed is none', 'type the six digits that the device shows');
}
