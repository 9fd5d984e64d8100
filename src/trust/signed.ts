/** Whether a signature approves a version of a map; loaded only where there is one. */
import type { AdminConfig } from '../base/admin-config.ts';
import type { AnswerGrade } from '../base/approval-grade.ts';
import { escapeText } from '../base/escape.ts';
import { parseSignature } from '../sshsig/signature.ts';
import { type PrincipalKey, verifySignature } from '../sshsig/verify.ts';
import { SshFormatError } from '../sshsig/wire.ts';
import { adminKeys, mapKeys } from './approver-keys.ts';
import { isAsStrong, type Pin, type PinGrade, type TrustStore } from './pin.ts';
import type { TrustPlace } from './pins.ts';
import { type MapVersion, mapVersion } from './predecessor.ts';
import { MAP_NAMESPACE, readStatement, statementFault } from './statement.ts';

/** `why` is a sentence fragment about the signature, safe to show. */
export type SignedCheck =
  | {
      readonly ok: true;
      readonly principal: string;
      readonly fingerprint: string;
      /** What the key shows about the person. */
      readonly grade: AnswerGrade;
      /** What the pin is worth: no more than the version whose approver signed. */
      readonly worth: SignedWorth;
    }
  | { readonly ok: false; readonly why: string; readonly wrongKey: boolean };

/** Approvers whom nobody confirmed approve nothing: whoever pinned them without a person could be one of them. */
export type SignedWorth = 'signed' | 'pinned_noninteractive';

/** The version that was replaced, whose approvers count. */
export interface Replaced {
  readonly sha256: string;
  readonly version: MapVersion;
  /** The strongest that it was ever pinned with. */
  readonly grade: PinGrade;
}

/**
 * Verifies a pin of grade `signed` anew: a line in a file of the same user proves nothing.
 */
export function checkSignedPin(
  pin: Pin,
  store: TrustStore,
  place: TrustPlace,
  admin: AdminConfig,
): SignedCheck {
  if (pin.signature === null) return refuse('there is none');
  const { statement, armored } = pin.signature;
  const signed = readStatement(statement);
  const { replaces = null, after = null } = signed ?? {};
  const wanted = { path: pin.path, repo: pin.repo, sha256: pin.sha256, replaces, after };
  const fault = statementFault(statement, wanted);
  if (fault !== null) return refuse(fault);

  return checkApproval(statement, armored, admin, replacedVersion(pin.path, wanted.replaces, store, place));
}

/**
 * Verifies an approval: the key must be the administrator's, or one of the version that is replaced. Where the
 * administrator demands signatures only theirs count, because the version before is the same user's to write, too.
 */
export function checkApproval(
  statement: string,
  armored: string | Uint8Array,
  admin: AdminConfig,
  replaced: Replaced | null,
): SignedCheck {
  const byAdmin = verifyStatement(statement, armored, adminKeys(admin), 'signed');
  if (byAdmin.ok || !byAdmin.wrongKey || admin.requireMapTrust === 'signed' || replaced === null)
    return byAdmin;
  const { map, fault } = replaced.version;
  if (map === null) return refuse(`the version that it replaces (${replaced.sha256}) ${fault}`);
  const worth = isAsStrong(replaced.grade, 'pinned') ? 'signed' : 'pinned_noninteractive';
  return verifyStatement(statement, armored, mapKeys(map), worth);
}

/** Verifies one signature over the exact text of a statement. */
export function verifyStatement(
  statement: string,
  armored: string | Uint8Array,
  keys: readonly PrincipalKey[],
  worth: SignedWorth,
): SignedCheck {
  try {
    const signature = parseSignature(armored);
    const verdict = verifySignature({
      message: Buffer.from(statement),
      signature,
      namespace: MAP_NAMESPACE,
      keys,
    });
    if (verdict.ok) return { ...verdict, worth };
    return { ok: false, why: verdict.detail, wrongKey: verdict.reason === 'wrong_key' };
  } catch (error) {
    if (error instanceof SshFormatError) return refuse(`it ${error.reason}`);
    throw error;
  }
}

/** Only a version that was trusted under this path: any other's approvers have no say here. */
function replacedVersion(
  path: string,
  sha256: string | null,
  store: TrustStore,
  place: TrustPlace,
): Replaced | null {
  if (sha256 === null) return null;
  const lineages = store.lineages.filter((lineage) => lineage.path === path);
  const known = lineages.flatMap(({ versions }) => versions).find((version) => version.sha256 === sha256);
  return known === undefined
    ? { sha256, version: { map: null, fault: 'was never trusted here' }, grade: 'pinned_noninteractive' }
    : { sha256, version: mapVersion(place, path, sha256), grade: known.grade };
}

function refuse(why: string): SignedCheck {
  return { ok: false, why: escapeText(why), wrongKey: false };
}
