/**
 * What an approver says, as the one text that is signed: the request as it was asked, and the terms on which it may be
 * used. The text is a function of its parts, so two people who look at the same request sign the same bytes.
 */

import { toJson } from '../base/escape.ts';
import { isExactTime } from '../base/exact-time.ts';
import type { ApprovalRequest } from './request.ts';

/** The namespace of the signature (PROTOCOL.sshsig): it keeps a signature for anything else from being an approval. */
export const APPROVAL_NAMESPACE = 'capwrap-approval';

export interface ApprovalTerms {
  /** How many runs the approval permits. */
  readonly uses: number;
  /** The last moment at which a run may begin with it. RFC 3339, UTC. */
  readonly not_after: string;
}

/** The text to sign. */
export function statementText(request: ApprovalRequest, { uses, not_after }: ApprovalTerms): string {
  return `${toJson({ capwrap_approval: 1, uses, not_after, request }, 2)}\n`;
}

/** The terms of a statement about exactly this request; null where it is about anything else, or changed. */
export function termsOf(statement: string, request: ApprovalRequest): ApprovalTerms | null {
  let value: unknown;
  try {
    value = JSON.parse(statement);
  } catch {
    return null;
  }
  const { uses, not_after } = (value ?? {}) as Partial<ApprovalTerms>;
  if (!Number.isSafeInteger(uses) || (uses as number) < 1) return null;
  if (typeof not_after !== 'string' || !isExactTime(not_after)) return null;
  const terms = { uses: uses as number, not_after };
  return statementText(request, terms) === statement ? terms : null;
}
