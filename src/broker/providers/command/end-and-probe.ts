/** The map's programs that end a lease and look at it: what their answers mean. */
import { objectInBytes } from '../../../base/json-object.ts';
import type { BrokerContext, EndAnswer, ProbeAnswer } from '../../provider.ts';
import type { CommandLease } from './command-lease.ts';
import { callProgram, faultWords, nameOf } from './program.ts';

/** With status 0 the lease has ended, unless what the program printed says otherwise. */
export async function endWith(
  argv: readonly string[],
  lease: CommandLease,
  context: BrokerContext,
): Promise<EndAnswer> {
  const ended = await callProgram(callFor(argv, lease), context);
  const did = `${nameOf(argv)} ${faultWords(ended, null) ?? 'ended with status 0'}`;
  if (ended.kind !== 'exited' || ended.status !== 0) return { kind: 'failed', did, error: did };
  const answer = ended.output.toString().trim() === '' ? { answer: 'ended' } : objectInBytes(ended.output);
  switch (answer?.['answer']) {
    case 'ended':
      return { kind: 'ended', did };
    case 'not_revocable':
      return { kind: 'not_revocable', did: `${nameOf(argv)} says that nothing can end it` };
    default:
      return { kind: 'failed', did, error: `${nameOf(argv)} printed something that is no answer` };
  }
}

const STATES = ['alive', 'dead', 'expired', 'unknown'] as const;

/** Anything but one of the states is unknown. */
export async function probeWith(
  argv: readonly string[],
  lease: CommandLease,
  context: BrokerContext,
): Promise<ProbeAnswer> {
  const ended = await callProgram(callFor(argv, lease), context);
  const fault = faultWords(ended, null);
  if (ended.kind !== 'exited' || fault !== null) return { state: 'unknown', saw: `${nameOf(argv)} ${fault}` };
  const said = objectInBytes(ended.output)?.['state'];
  const state = STATES.find((one) => one === said);
  if (state === undefined) return { state: 'unknown', saw: `${nameOf(argv)} printed no state` };
  return { state, saw: `${nameOf(argv)} says ${state}` };
}

/** A program gets back what it printed; where only the handle is left, that. */
function callFor(argv: readonly string[], { leaseId, document, handle, config, variables }: CommandLease) {
  const input = { capwrap_end: 1, lease_id: leaseId, lease: document, handle };
  return { argv, config, input, variables, timeoutMs: null };
}
