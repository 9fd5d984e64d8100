/** Whether a signature approves a version of a map; loaded only where there is one. */
import type { AdminConfig } from '../base/admin-config.ts';
import type { AnswerGrade } from '../base/approval-grade.ts';
import { escapeText } from '../base/escape.ts';
import { parseSignature } from '../sshsig/signature.ts';
import { type PrincipalKey, verifySignature } from '../sshsig/verify.ts';
import { SshFormatError } from '../sshsig/wire.ts';
import { adminKeys, mapKeys } from './approver-keys.ts';
import { hasVersion, type Pin, type TrustStore } from './pin.ts';
import type { TrustPlace } from './pins.ts';
import { type MapVersion, mapVersion } from './predecessor.ts';
import { MAP_NAMESPACE, readStatement, statementFault } from './statement.ts';

/** `why` is a sentence fragment about the signature, safe to show. */
export type SignedCheck =
  | {
      readonly ok: true;
      readonly principal: string;
      readonly fingerprint: string;
      readonly grade: AnswerGrade;
    }
  | { readonly ok: false; readonly why: string; readonly wrongKey: boolean };

/**
 * Verifies a pin of grade `signed` anew: a line in a file of the same user proves nothing. The key must be the
 * administrator's, or one of the version that was replaced. Where the administrator demands signatures only theirs
 * count, because the version before is the same user's to write, too.
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
  const wanted = { path: pin.path, repo: pin.repo, sha256: pin.sha256, replaces: signed?.replaces ?? null };
  const fault = statementFault(statement, wanted);
  if (fault !== null) return refuse(fault);

  const byAdmin = verifyStatement(statement, armored, adminKeys(admin));
  if (byAdmin.ok || !byAdmin.wrongKey || admin.requireMapTrust === 'signed') return byAdmin;
  const before = replacedVersion(pin.path, wanted.replaces, store, place);
  if (before === null) return byAdmin;
  if (before.map === null) {
    return refuse(`the version that it replaces (${wanted.replaces}) ${escapeText(before.fault)}`);
  }
  return verifyStatement(statement, armored, mapKeys(before.map));
}

/** Verifies one signature over the exact text of a statement. */
export function verifyStatement(
  statement: string,
  armored: string | Uint8Array,
  keys: readonly PrincipalKey[],
): SignedCheck {
  try {
    const signature = parseSignature(armored);
    const verdict = verifySignature({
      message: Buffer.from(statement),
      signature,
      namespace: MAP_NAMESPACE,
      keys,
    });
    if (verdict.ok) return verdict;
    return { ok: false, why: verdict.detail, wrongKey: verdict.reason === 'wrong_key' };
  } catch (error) {
    if (error instanceof SshFormatError) return refuse(`it ${error.reason}`);
    throw error;
  }
}

/** Only a version that was trusted under this path: any other's approvers have no say here. */
function replacedVersion(
  path: string,
  replaces: string | null,
  store: TrustStore,
  place: TrustPlace,
): MapVersion | null {
  if (replaces === null) return null;
  const wasTrusted = store.lineages.some((lineage) => lineage.path === path && hasVersion(lineage, replaces));
  return wasTrusted ? mapVersion(place, path, replaces) : { map: null, fault: 'was never trusted here' };
}

function refuse(why: string): SignedCheck {
  return { ok: false, why: escapeText(why), wrongKey: false };
}
