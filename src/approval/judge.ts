/** Whether the answers to a request are the approval that its rule asks for. Pure: the clock is a value. */
import { type AnswerGrade, meetsGrade, weakestGrade } from '../base/approval-grade.ts';
import type { ApprovalDemand, Approver } from '../policy/capability.ts';
import { parsePublicKey } from '../sshsig/public-key.ts';
import { parseSignature } from '../sshsig/signature.ts';
import { type PrincipalKey, verifySignature } from '../sshsig/verify.ts';
import { SshFormatError } from '../sshsig/wire.ts';
import type { Answer } from './answer.ts';
import type { ApprovalRequest } from './request.ts';
import { APPROVAL_NAMESPACE, type ApprovalTerms, termsOf } from './statement.ts';

/** Why one answer doesn't count; stable keys of records. */
export const ANSWER_FAULTS = [
  'altered',
  'bad_signature',
  'wrong_namespace',
  'wrong_key',
  'unsupported',
  'grade_too_weak',
  'touch_missing',
  'verification_missing',
  'expired',
  'more_than_allowed',
  'not_an_approver',
  'self_approval',
] as const;
export type AnswerFault = (typeof ANSWER_FAULTS)[number];

export interface JudgedAnswer {
  readonly approver: string;
  readonly grade: AnswerGrade;
  /** Of the key; null for what was typed. */
  readonly fingerprint: string | null;
  readonly terms: ApprovalTerms;
}

export interface RefusedAnswer {
  readonly reason: AnswerFault;
  /** One sentence that is safe to show. */
  readonly detail: string;
}

export interface Judgement {
  /** Different approvers, in the order of their answers. */
  readonly counted: readonly JudgedAnswer[];
  readonly refused: readonly RefusedAnswer[];
  /** What all of them permit together; null where there are too few. */
  readonly approval: {
    readonly grade: AnswerGrade;
    readonly approvers: readonly string[];
    /** Fingerprints of their keys; of what was typed there is none. */
    readonly keys: readonly string[];
    readonly terms: ApprovalTerms;
  } | null;
}

export interface JudgeInput {
  readonly request: ApprovalRequest;
  readonly answers: readonly Answer[];
  /** Of the rule, as the map has it now. */
  readonly demand: ApprovalDemand;
  readonly approvers: ReadonlyMap<string, Approver>;
  readonly now: Date;
}

export function judgeAnswers(input: JudgeInput): Judgement {
  const counted = new Map<string, JudgedAnswer>();
  const refused: RefusedAnswer[] = [];
  for (const answer of input.answers) {
    const judged = judgeAnswer(input, answer);
    if ('reason' in judged) refused.push(judged);
    else if (!counted.has(judged.approver)) counted.set(judged.approver, judged);
  }
  const enough = [...counted.values()];
  return {
    counted: enough,
    refused,
    approval: enough.length < input.demand.count ? null : together(enough),
  };
}

/** The narrowest of what each of them permits. */
function together(answers: readonly JudgedAnswer[]): Judgement['approval'] {
  const until = answers.map(({ terms }) => Date.parse(terms.not_after));
  return {
    grade: weakestGrade(answers.map(({ grade }) => grade)) as AnswerGrade,
    approvers: answers.map(({ approver }) => approver).sort(),
    keys: answers.flatMap(({ fingerprint }) => fingerprint ?? []),
    terms: {
      uses: Math.min(...answers.map(({ terms }) => terms.uses)),
      not_after: new Date(Math.min(...until)).toISOString(),
    },
  };
}

/** One answer by itself: who gave it and how, or why it doesn't count. */
export function judgeAnswer(
  input: Omit<JudgeInput, 'answers'>,
  answer: Answer,
): JudgedAnswer | RefusedAnswer {
  const { request, demand, now } = input;
  const terms = termsOf(answer.statement, request);
  const author = answer.kind === 'typed' ? typedBy(answer) : signedBy(input, answer);
  if ('reason' in author) return author;
  if (terms === null) return refuse('altered', 'its statement is not about this request, or was changed');
  if (Date.parse(terms.not_after) < now.getTime()) {
    return refuse('expired', `it was good until ${terms.not_after}`);
  }
  if (terms.uses > demand.uses || new Date(terms.not_after) > latestEnd(request, demand)) {
    return refuse('more_than_allowed', 'it permits more uses, or more time, than the rule does');
  }
  const weak = weakness(author.grade, demand);
  if (weak !== null) return weak;
  if (demand.selfApproval === 'deny' && isRequester(author.approver, input)) {
    return refuse('self_approval', `"${author.approver}" is who asks, and the rule wants somebody else`);
  }
  return { ...author, terms };
}

/** The latest end that an approval of a request can have: as if it were given at the last moment. */
export function latestEnd(request: ApprovalRequest, demand: ApprovalDemand): Date {
  return new Date(Date.parse(request.answer_by) + demand.standsFor * 1000);
}

type Author = Omit<JudgedAnswer, 'terms'>;

function typedBy({ user }: Answer & { kind: 'typed' }): Author {
  return { approver: user, grade: 'terminal', fingerprint: null };
}

function signedBy(
  { demand, approvers }: Omit<JudgeInput, 'answers'>,
  { statement, signature }: Answer & { kind: 'signed' },
): Author | RefusedAnswer {
  try {
    const verdict = verifySignature({
      message: Buffer.from(statement),
      signature: parseSignature(signature),
      namespace: APPROVAL_NAMESPACE,
      keys: keysOf(approvers),
    });
    if (!verdict.ok) return refuse(verdict.reason, verdict.detail);
    const { principal, grade, fingerprint } = verdict;
    return demand.approvers === null || demand.approvers.includes(principal)
      ? { approver: principal, grade, fingerprint }
      : refuse(
          'not_an_approver',
          `"${principal}" may not approve this; who may: ${demand.approvers.join(', ')}`,
        );
  } catch (error) {
    if (error instanceof SshFormatError) return refuse('bad_signature', `the signature ${error.reason}`);
    throw error;
  }
}

function keysOf(approvers: ReadonlyMap<string, Approver>): PrincipalKey[] {
  return [...approvers.values()].flatMap(({ name, keys }) =>
    keys.map((key) => ({ principal: name, key: parsePublicKey(key) })),
  );
}

/** A hardware key that wasn't touched, and one that asked for no PIN, are told apart from a key that can't tell. */
function weakness(grade: AnswerGrade, demand: ApprovalDemand): RefusedAnswer | null {
  if (meetsGrade(grade, demand.grade)) return null;
  if (grade === 'terminal') {
    return refuse('grade_too_weak', `it was typed on a terminal, and the rule asks for ${demand.grade}`);
  }
  return grade === 'ssh_key_touch'
    ? refuse('verification_missing', 'the key was touched, but asked for no PIN or fingerprint')
    : refuse('touch_missing', 'nobody touched a hardware key for it');
}

/** The actor and the user of the request, whose names are compared as people read them. */
function isRequester(approver: string, { request, approvers }: Omit<JudgeInput, 'answers'>): boolean {
  const { actor, user } = request.binding;
  const asking = [actor, user].flatMap((name) => (name === null ? [] : [name.toLowerCase()]));
  const known = [approver, ...(approvers.get(approver)?.actors ?? [])];
  return known.some((name) => asking.includes(name.toLowerCase()));
}

function refuse(reason: AnswerFault, detail: string): RefusedAnswer {
  return { reason, detail };
}
