/** Reads the approval that `--approval` names: the id of a request here, or a file with signed answers to one. */
import { resolve } from 'node:path';
import { readForeignFile } from '../base/foreign-file.ts';
import { CapwrapError, systemErrorCode } from '../errors.ts';
import { LARGEST_ANSWER, parseReply } from './answer.ts';
import { approvalError, FAULTS } from './faults.ts';
import type { BroughtApproval } from './obtain-input.ts';
import { isRequestId } from './request.ts';
import type { ApprovalStore } from './store.ts';

/** Throws ERR_APPROVAL_UNKNOWN where there is no such request, ERR_APPROVAL_INVALID for a file that is no answer. */
export function bringApproval(store: ApprovalStore, named: string, cwd: string): BroughtApproval {
  if (named === '') {
    throw new CapwrapError('ERR_USAGE', '"--approval" is empty: it takes an id or a file', {
      hint: 'capwrap approvals',
    });
  }
  if (isRequestId(named)) return { request: knownRequest(store, named), answers: null };
  const reply = parseReply(readReplyFile(resolve(cwd, named), named));
  if (reply === null) {
    throw new CapwrapError('ERR_APPROVAL_INVALID', `"${named}" is not an approval`, {
      hint: 'capwrap approve --request FILE --key KEY > approval.json',
    });
  }
  const request = knownRequest(store, reply.id);
  if (reply.denied) throw approvalError(request.binding.capability, FAULTS.refused(reply.reason));
  return { request, answers: reply.answers };
}

/** The request of this id, as it was written here. */
export function knownRequest(store: ApprovalStore, id: string): BroughtApproval['request'] {
  const request = isRequestId(id) ? store.request(id) : null;
  if (request !== null) return request;
  throw new CapwrapError('ERR_APPROVAL_UNKNOWN', `"${id}" is no request for approval that was made here`, {
    hint: 'capwrap approvals --all',
  });
}

function readReplyFile(path: string, named: string): string {
  let text: string | null;
  try {
    text = readForeignFile(path, 16 * LARGEST_ANSWER);
  } catch (error) {
    const code = systemErrorCode(error) ?? 'unknown error';
    throw new CapwrapError(
      code === 'ENOENT' ? 'ERR_APPROVAL_UNKNOWN' : 'ERR_APPROVAL_INVALID',
      code === 'ENOENT'
        ? `"${named}" is neither the id of a request nor a file`
        : `"${named}" can't be read (${code})`,
      { hint: 'capwrap approvals --all' },
    );
  }
  if (text !== null) return text;
  throw new CapwrapError('ERR_APPROVAL_INVALID', `"${named}" is too large to be an approval`, {
    hint: 'capwrap approvals --all',
  });
}
