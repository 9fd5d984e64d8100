/** Requests and answers on the disk: `<state>/approvals/<id>/`, private, one file for each answer. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { osUser } from '../base/os-user.ts';
import { ensurePrivateDir, readPrivateFile, writePrivateFile } from '../base/private-files.ts';
import { CapwrapError, systemErrorCode } from '../errors.ts';
import { removeTree } from '../runner/remove-tree.ts';
import { type Answer, answerText, LARGEST_ANSWER, parseAnswer } from './answer.ts';
import { type Ledger, openLedger } from './ledger.ts';
import { type ApprovalRequest, isRequestId, parseRequest, requestText } from './request.ts';
import { statementText } from './statement.ts';

export interface ApprovalStore {
  readonly ledger: Ledger;
  /** A secret of this state directory, by which values are compared that must not be told. */
  digestKey(): Uint8Array;
  /** Ids of all requests that are kept, unordered. */
  ids(): readonly string[];
  /** Null where there is none of this id, or its file is not what capwrap wrote. */
  request(id: string): ApprovalRequest | null;
  answers(id: string): readonly Answer[];
  /** Keeps a request; what is older than `KEPT_MS` goes. Throws ERR_APPROVAL_INVALID for one too long to be answered. */
  addRequest(request: ApprovalRequest): void;
  /** False where the very same answer is there already. */
  addAnswer(id: string, answer: Answer): boolean;
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
  const ids = () =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && isRequestId(entry.name))
      .map(({ name }) => name);
  const isOld = (id: string) => {
    try {
      return Date.now() - Date.parse(request(id)?.created_at ?? '') > KEPT_MS;
    } catch {
      return false; // not what capwrap wrote; whoever asks for it is told
    }
  };

  return {
    ledger: openLedger(folder, uid),
    digestKey: () => digestKeyIn(folder, uid),
    ids,
    request,
    answers: (id) =>
      namesIn(join(folder, id))
        .filter((name) => /^answer-[0-9a-f]{16}\.json$/.test(name))
        .sort()
        .slice(0, MOST_ANSWERS)
        .flatMap((name) => answerIn(() => read(id, name, 3 * LARGEST_ANSWER), uid)),
    addRequest(added) {
      assertAnswerable(added);
      for (const id of ids()) if (isOld(id)) removeTree(join(folder, id));
      mkdirSync(join(folder, added.id), { mode: 0o700 });
      writePrivateFile(place(added.id, 'request.json'), requestText(added));
    },
    addAnswer(id, answer) {
      const text = answerText(answer);
      const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
      const path = place(id, `answer-${digest}.json`);
      if (existsSync(path)) return false;
      writePrivateFile(path, text);
      return true;
    },
    denial: (id) => read(id, 'denied.txt', 4096),
    addDenial(id, reason) {
      writePrivateFile(place(id, 'denied.txt'), reason);
    },
  };
}

/** What can't be read is no answer. Who typed is who can write here, whatever the file says. */
function answerIn(read: () => string | null, uid: number): Answer[] {
  try {
    const answer = parseAnswer(read() ?? '');
    if (answer === null) return [];
    return [answer.kind === 'typed' ? { ...answer, user: osUser(uid) } : answer];
  } catch (error) {
    if (error instanceof CapwrapError) return [];
    throw error;
  }
}

/** Made with the first request. Two that race for it agree on the one that is there in the end. */
function digestKeyIn(folder: string, uid: number): Uint8Array {
  const path = join(folder, 'digest-key');
  const known = readPrivateFile(path, uid, 64);
  if (known?.length === 32) return known;
  writePrivateFile(path, randomBytes(32));
  return readPrivateFile(path, uid, 64) ?? randomBytes(32);
}

/** An answer holds the whole request, and is read only so far. */
function assertAnswerable(request: ApprovalRequest): void {
  const terms = { uses: Number.MAX_SAFE_INTEGER, not_after: request.answer_by };
  const { length } = statementText(request, terms);
  if (length <= LARGEST_ANSWER) return;
  throw new CapwrapError(
    'ERR_APPROVAL_INVALID',
    `"${request.binding.capability}" is asked for with ${length} characters, of which ${LARGEST_ANSWER} can be approved`,
    { hint: 'hand the command a file instead of long words' },
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
