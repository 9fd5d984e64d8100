/** `capwrap approve`: shows a whole request, and approves it: typed on the terminal, or signed with a key. */

import type { Answer } from '../approval/answer.ts';
import { replyText } from '../approval/answer.ts';
import { type JudgedAnswer, judgeAnswer } from '../approval/judge.ts';
import { answerRecord } from '../approval/records.ts';
import { showRequest } from '../approval/show.ts';
import { statementText } from '../approval/statement.ts';
import { standingOf } from '../approval/status.ts';
import { auditLogFor } from '../audit/open.ts';
import { escapeText, toJson } from '../base/escape.ts';
import { osUser } from '../base/os-user.ts';
import { CapwrapError } from '../errors.ts';
import { signerOf } from '../sshsig/signer.ts';
import type { CommandContext } from '../ui/context.ts';
import { answerFrom, type HowToAnswer, termsFor } from './approve-answer.ts';
import { type Desk, openDesk } from './approve-desk.ts';
import type { Command } from './command.ts';

export interface ApproveOptions extends HowToAnswer {
  /** Of a request that was made here. */
  readonly id?: string | undefined;
  /** A file with a request that was made elsewhere. */
  readonly request?: string | undefined;
  /** Prints the statement that is to be signed, and does nothing else. */
  readonly statement?: boolean | undefined;
}

/**
 * Approves one request. The answer is judged before it is kept, and recorded before a run can use it. A request from
 * elsewhere is answered by a file on standard output. Throws ERR_APPROVAL_INVALID where the answer can't count.
 */
export const approve: Command<ApproveOptions> = async (context, options) => {
  const desk = await openDesk(context, options);
  const { request, store, local } = desk;
  const terms = termsFor(desk, options, new Date());
  // Whoever signs by other means sees here what they sign; what asks on the terminal shows it there.
  const asks =
    options.signed === undefined && (options.key !== undefined || (desk.demand.kind === 'prompt' && local));
  if (!asks && !context.json) showRequest(request, desk.previous).forEach(context.err);
  if (options.statement) {
    await context.out(statementText(request, terms));
    return 0;
  }
  const answer = await answerFrom(context, desk, options, terms);
  const judged = judge(desk, answer, context);
  if (local) assertNew(desk, judged);
  const log = auditLogFor(context, desk.state);
  await log.append(answerRecord('approval_given', request, judged, desk.state), { durable: true });
  if (local) {
    store.addAnswer(request.id, answer);
    await report(context, desk, judged);
  } else if (answer.kind === 'signed') {
    await context.out(replyText(request.id, [answer]));
  }
  return 0;
};

/** Whose map isn't here can be told by the key alone who signed; whether that is an approver, the run will find out. */
function judge(desk: Desk, answer: Answer, { ambient }: CommandContext): JudgedAnswer {
  const { request, demand } = desk;
  const user = osUser(ambient.uid);
  const own = answer.kind === 'signed' ? signerOf(answer.signature) : null;
  const approvers =
    desk.approvers ?? new Map(own === null ? [] : [[user, { name: user, keys: [own], actors: [] }]]);
  const lenient = desk.local ? demand : { ...demand, approvers: null, selfApproval: 'allow' as const };
  const judged = judgeAnswer({ request, demand: lenient, approvers, now: new Date() }, answer);
  if (!('reason' in judged)) return judged;
  throw new CapwrapError(
    'ERR_APPROVAL_INVALID',
    `"${request.id}" was not approved: ${judged.detail} [${judged.reason}]`,
    {
      hint: 'capwrap approve --help',
    },
  );
}

/** A second answer of the same person adds nothing, and would read as if somebody else had given it. */
function assertNew({ store, request, approvers, demand }: Desk, { approver }: JudgedAnswer): void {
  const terms = { approvers: approvers ?? new Map(), demand };
  const { judgement } = standingOf(store, request, store.ledger.read(), terms, new Date());
  if (!judgement.counted.some((answer) => answer.approver === approver)) return;
  throw new CapwrapError('ERR_APPROVAL_INVALID', `"${request.id}" was approved by "${approver}" already`, {
    hint: 'capwrap approvals',
  });
}

async function report(
  context: CommandContext,
  { store, request, approvers, demand }: Desk,
  judged: JudgedAnswer,
) {
  const now = new Date();
  const terms = { approvers: approvers ?? new Map(), demand };
  const { status, judgement } = standingOf(store, request, store.ledger.read(), terms, now);
  const { approver, grade, terms: given } = judged;
  if (context.json) {
    await context.out(`${toJson({ id: request.id, status, approver, grade, ...given })}\n`);
    return;
  }
  const runs = given.uses === 1 ? 'one run' : `${given.uses} runs`;
  const missing = demand.count - judgement.counted.length;
  const next =
    missing > 0
      ? `${missing} more ${missing === 1 ? 'answer is' : 'answers are'} needed`
      : `permits ${runs} until ${given.not_after}`;
  await context.out(`approved ${request.id} as ${escapeText(approver)} (${grade}); ${next}\n`);
}
