/** Requests and answers on the disk: `<state>/approvals/<id>/`, private, one file for each answer. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePrivateDir, readPrivateFile, writePrivateFile } from '../base/private-files.ts';
import { systemErrorCode } from '../errors.ts';
import { removeTree } from '../runner/remove-tree.ts';
import { type Answer, answerText, LARGEST_ANSWER, parseAnswer } from './answer.ts';
import { type Ledger, openLedger } from './ledger.ts';
import { type ApprovalRequest, isRequestId, parseRequest, requestText } from './request.ts';

export interface ApprovalStore {
  readonly ledger: Ledger;
  /** Ids of all requests that are kept, unordered. */
  ids(): readonly string[];
  /** Null where there is none of this id, or its file is not what capwrap wrote. */
  request(id: string): ApprovalRequest | null;
  answers(id: string): readonly Answer[];
  /** Keeps a request; what is older than `KEPT_MS` goes. */
  addRequest(request: ApprovalRequest): void;
  addAnswer(id: string, answer: Answer): void;
  /** What was said with a denial; null where nothing was. */
  denial(id: string): string | null;
  addDenial(id: string, reason: string): void;
}

/** Longer than any approval stands. */
const KEPT_MS = 30 * 24 * 3600 * 1000;
const LARGEST_REQUEST = 1024 * 1024;
const MOST_ANSWERS = 64;

/** The approvals of a state directory that exists. Creates the folder where it is missing. */
export function openApprovals(stateDir: string, uid: number): ApprovalStore {
  const folder = join(stateDir, 'approvals');
  ensurePrivateDir(folder, uid);
  const place = (id: string, name: string) => join(folder, id, name);
  const read = (id: string, name: string, most: number) =>
    isRequestId(id) ? (readPrivateFile(place(id, name), uid, most)?.toString('utf8') ?? null) : null;

  const request = (id: string): ApprovalRequest | null => {
    const found = parseRequest(read(id, 'request.json', LARGEST_REQUEST) ?? '');
    return found?.id === id ? found : null;
  };
  const ids = () => readdirSync(folder).filter(isRequestId);

  return {
    ledger: openLedger(folder, uid),
    ids,
    request,
    answers: (id) =>
      namesIn(join(folder, id))
        .filter((name) => /^answer-[0-9a-f]{16}\.json$/.test(name))
        .sort()
        .slice(0, MOST_ANSWERS)
        .flatMap((name) => parseAnswer(read(id, name, 3 * LARGEST_ANSWER) ?? '') ?? []),
    addRequest(added) {
      for (const id of ids()) {
        const age = Date.now() - Date.parse(request(id)?.created_at ?? '');
        if (age > KEPT_MS) removeTree(join(folder, id));
      }
      mkdirSync(join(folder, added.id), { mode: 0o700 });
      writePrivateFile(place(added.id, 'request.json'), requestText(added));
    },
    addAnswer(id, answer) {
      writePrivateFile(place(id, `answer-${randomBytes(8).toString('hex')}.json`), answerText(answer));
    },
    denial: (id) => read(id, 'denied.txt', 4096),
    addDenial(id, reason) {
      writePrivateFile(place(id, 'denied.txt'), reason);
    },
  };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
