/** A version of a map that is approved by a signature: what is signed, by whom it may be, and what is made of it. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { ADMIN_CONFIG_PATH, type AdminConfig } from '../base/admin-config.ts';
import { readAll } from '../base/private-files.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { CapwrapError, systemErrorCode } from '../errors.ts';
import { signWithSshKeygen } from '../sshsig/sign.ts';
import type { PrincipalKey } from '../sshsig/verify.ts';
import { adminKeys, mapKeys } from '../trust/approver-keys.ts';
import type { PinSignature } from '../trust/pin.ts';
import { checkApproval, type SignedCheck, verifyStatement } from '../trust/signed.ts';
import { MAP_NAMESPACE, statementFault, statementText, type TrustStatement } from '../trust/statement.ts';
import type { CommandContext } from '../ui/context.ts';
import type { TrustCase } from './trust-case.ts';

export interface SignedAnswer {
  readonly signature: PinSignature;
  readonly check: SignedCheck & { readonly ok: true };
}

/** What an approver of this version signs. */
export function statementOf(found: TrustCase): string {
  return statementText(wanted(found));
}

/** The commands that lead to a signature. */
export function signingHint(path: string): string {
  const file = shellQuote(path);
  return [
    `capwrap trust --statement ${file} > map.json`,
    `ssh-keygen -Y sign -n ${MAP_NAMESPACE} -f KEY map.json`,
    `capwrap trust --signature map.json.sig ${file}`,
    `or, on a terminal: capwrap trust --key KEY ${file}`,
  ].join('\n');
}

/** Throws ERR_MAP_UNTRUSTED where no signature could count. */
export function assertMaySign(admin: AdminConfig, found: TrustCase): void {
  if (keysFor(admin, found).length > 0) return;
  const fault = found.predecessor?.version.fault;
  const before = fault
    ? `version ${found.predecessor?.sha256} ${fault}`
    : 'the version before names no approvers';
  const why =
    admin.requireMapTrust === 'signed'
      ? ''
      : `${found.predecessor === null ? 'no version was trusted before' : before}, and `;
  throw refusal(
    found,
    `nobody may sign for it: ${why}${ADMIN_CONFIG_PATH} names no approvers`,
    `capwrap trust ${shellQuote(found.file.path)}`,
  );
}

/** The signature in a file. Throws ERR_MAP_UNTRUSTED with what is wrong with it. */
export function signedByFile(context: CommandContext, found: TrustCase, file: string): SignedAnswer {
  const path = resolve(context.ambient.cwd, file);
  const armored = readSmall(path);
  if (armored === null) {
    throw refusal(found, `${file} can't be read as a signature`, signingHint(found.file.path));
  }
  // The file that ssh-keygen signed lies beside the signature, and tells what the signature is for if not for this.
  const beside = path.endsWith('.sig') ? readSmall(path.slice(0, -'.sig'.length)) : null;
  return checked(context.admin, found, armored, beside);
}

/** Signs with the person's own key, through ssh-keygen. Throws ERR_SIGN, and as `signedByFile`. */
export async function signedByKey(
  context: CommandContext,
  found: TrustCase,
  keyFile: string,
): Promise<SignedAnswer> {
  const { env, cwd } = context.ambient;
  const message = Buffer.from(statementOf(found));
  const armored = await signWithSshKeygen({ keyFile, namespace: MAP_NAMESPACE, message, env, cwd });
  return checked(context.admin, found, armored, null);
}

function checked(admin: AdminConfig, found: TrustCase, armored: string, beside: string | null): SignedAnswer {
  const statement = statementOf(found);
  const check = checkApproval(statement, armored, admin, found.predecessor);
  if (check.ok) return { signature: { principal: check.principal, statement, armored }, check };
  const other = beside === null ? null : statementFault(beside, wanted(found));
  const isNew = check.wrongKey && verifyStatement(statement, armored, mapKeys(found.map), 'signed').ok;
  const why =
    other ?? (isNew ? `${check.why}; only the new version names it, and the one before decides` : check.why);
  throw refusal(found, `the signature does not count: ${why}`, signingHint(found.file.path));
}

/** As at each later judgement: where the administrator demands signatures, only the administrator's approvers count. */
function keysFor(admin: AdminConfig, { predecessor }: TrustCase): PrincipalKey[] {
  const before = predecessor?.version.map ?? null;
  return [
    ...adminKeys(admin),
    ...(before === null || admin.requireMapTrust === 'signed' ? [] : mapKeys(before)),
  ];
}

function wanted({ file, subject, predecessor }: TrustCase): TrustStatement {
  const replaces = predecessor?.sha256 ?? null;
  const after = predecessor?.mark ?? null;
  return { path: file.path, repo: subject.repo.name, replaces, after, sha256: file.sha256 };
}

function refusal({ file }: TrustCase, why: string, hint: string): CapwrapError {
  return new CapwrapError('ERR_MAP_UNTRUSTED', `"${file.path}" was not pinned: ${why}`, { hint });
}

const MAX_BYTES = 64 * 1024;

/** The text of a small regular file, or null; never waits on a FIFO. */
function readSmall(path: string): string | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return null;
  }
  try {
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= MAX_BYTES ? readAll(fd, stat.size).toString('utf8') : null;
  } finally {
    closeSync(fd);
  }
}
