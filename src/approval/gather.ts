/** Gets answers to a request: on the terminal where that is enough, else from the store and the team's own program. */
import type { ApprovalDemand, Approver } from '../policy/capability.ts';
import type { Answer } from './answer.ts';
import { askHere } from './ask-here.ts';
import { type ApprovalFault, FAULTS } from './faults.ts';
import { askThroughProgram } from './hook.ts';
import { type Judgement, judgeAnswers, latestEnd } from './judge.ts';
import { previousOf } from './previous.ts';
import type { ApprovalRequest } from './request.ts';
import type { ApprovalStore } from './store.ts';
import { type Waited, waitForAnswers } from './wait.ts';

export interface GatherInput {
  readonly request: ApprovalRequest;
  readonly demand: ApprovalDemand;
  readonly approvers: ReadonlyMap<string, Approver>;
  readonly store: ApprovalStore;
  readonly uid: number;
  readonly stateDir: string;
  readonly timeoutMs: number;
  readonly noWait: boolean;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

export interface Gathered {
  readonly approval: NonNullable<Judgement['approval']>;
  /** True for answers that nobody else has recorded: they were typed here, or the program printed them. */
  readonly unrecorded: boolean;
}

/** Where a request is handed to a program and nobody waits, so long for the program to be done with it. */
const HANDOVER_MS = 30_000;

export async function gatherAnswers(input: GatherInput): Promise<Gathered | ApprovalFault> {
  const { request, demand, noWait } = input;
  if (demand.kind === 'prompt' && !noWait) return onTerminalOrElsewhere(input);
  const program = new AbortController();
  let limit: NodeJS.Timeout | undefined;
  try {
    const handed = demand.command === null ? null : handOver(input, demand.command, program.signal);
    if (!noWait) return await waitFor(input, handed ?? NEVER);
    limit = setTimeout(() => program.abort(), HANDOVER_MS);
    return (await handed) ?? FAULTS.pending(request.id);
  } finally {
    clearTimeout(limit);
    program.abort();
  }
}

const NEVER = new Promise<null>(() => undefined);

/** Whichever answer comes first; an answer that somebody gives in another terminal takes the question away. */
async function onTerminalOrElsewhere(input: GatherInput): Promise<Gathered | ApprovalFault> {
  const stop = new AbortController();
  const stoppable = { ...input, signal: AbortSignal.any([input.signal, stop.signal]) };
  const here = onTerminal(stoppable);
  const elsewhere = waitFor(stoppable, NEVER);
  try {
    return await Promise.race([here.then((answer) => answer ?? elsewhere), elsewhere]);
  } finally {
    stop.abort();
    await here; // the terminal is as it was before anything else is written to it
  }
}

/** Null where there is no terminal. */
async function onTerminal(input: GatherInput): Promise<Gathered | ApprovalFault | null> {
  const { request, store, uid, timeoutMs, stateDir, demand, signal } = input;
  const terms = { uses: 1, not_after: latestEnd(request, demand).toISOString() };
  const reply = await askHere({
    request,
    previous: previousOf(store, request, input),
    terms,
    uid,
    timeoutMs,
    turnsIn: stateDir,
    signal,
  });
  switch (reply.kind) {
    case 'no_terminal':
      return null;
    case 'denied':
      return FAULTS.refused(null);
    case 'approved':
      store.addAnswer(request.id, reply.answer);
      return verdictOnTyped(input, reply.answer);
    default:
      return FAULTS[reply.kind]();
  }
}

function verdictOnTyped(input: GatherInput, answer: Answer): Gathered | ApprovalFault {
  const { approval, refused } = judgeAnswers({ ...input, answers: [answer], now: new Date() });
  if (approval !== null) return { approval, unrecorded: true };
  const [fault] = refused;
  return fault === undefined ? FAULTS.refused(null) : FAULTS.answer(fault.reason, fault.detail);
}

/** What the program's reply amounts to; waits on where that is nothing. */
async function handOver(
  input: GatherInput,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<Gathered | ApprovalFault | null> {
  const { request, store, warn } = input;
  const result = await askThroughProgram(argv, request, signal);
  if (result.kind === 'failed' && !signal.aborted)
    warn(`"${argv[0]}", which asks for approvals, ${result.why}`);
  if (result.kind !== 'reply') return null;
  if (result.reply.denied) return FAULTS.refused(result.reply.reason);
  for (const answer of result.reply.answers) store.addAnswer(request.id, answer);
  return verdictOn(input, store.answers(request.id), true);
}

async function waitFor(
  input: GatherInput,
  handed: Promise<Gathered | ApprovalFault | null>,
): Promise<Gathered | ApprovalFault> {
  const { request, store, timeoutMs, signal, warn } = input;
  const warned = new Set<string>();
  const stop = new AbortController();
  const waited = waitForAnswers({
    store,
    id: request.id,
    deadline: new Date(Date.now() + timeoutMs),
    signal: AbortSignal.any([signal, stop.signal]),
    judge: (answers) =>
      verdictOn(input, answers, false, (detail) => {
        if (!warned.has(detail)) warn(`an answer to ${request.id} doesn't count: ${detail}`);
        warned.add(detail);
      }),
  });
  const settled = waited.then(outcomeOf);
  try {
    return await Promise.race([settled, handed.then((reply) => reply ?? settled)]);
  } finally {
    stop.abort();
  }
}

function outcomeOf(waited: Waited<Gathered>): Gathered | ApprovalFault {
  switch (waited.kind) {
    case 'enough':
      return waited.result;
    case 'denied':
      return FAULTS.refused(waited.said);
    default:
      return FAULTS[waited.kind]();
  }
}

/** Null where more answers are needed. */
function verdictOn(
  { request, demand, approvers }: GatherInput,
  answers: readonly Answer[],
  unrecorded: boolean,
  onRefused: (detail: string) => void = () => undefined,
): Gathered | null {
  const { approval, refused } = judgeAnswers({ request, answers, demand, approvers, now: new Date() });
  for (const { detail } of refused) onRefused(detail);
  return approval && { approval, unrecorded };
}
