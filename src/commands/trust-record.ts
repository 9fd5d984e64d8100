/** The audit records of pins that are made and removed. */
import type { AuditFields } from '../audit/record/record.ts';
import type { Ambient } from '../base/ambient.ts';
import type { AnswerGrade } from '../base/approval-grade.ts';
import { osUser } from '../base/os-user.ts';
import type { StatePlace } from '../base/state.ts';
import type { OldPin, Pin, PinGrade } from '../trust/pin.ts';
import type { TrustCase } from './trust-case.ts';

/** The record of a version that is trusted from now on. */
export function trustedRecord(
  { file, subject, changes, predecessor, state }: TrustCase,
  worth: PinGrade,
  ambient: Ambient,
  signed: { readonly principal: string; readonly fingerprint: string; readonly grade: AnswerGrade } | null,
): AuditFields {
  return {
    event: 'trusted',
    ...subjectFields({ path: file.path, sha256: file.sha256, repo: subject.repo.name }, ambient, state),
    map_trust: worth,
    replaces_sha256: predecessor?.sha256 ?? null,
    ...(changes === null ? {} : { widening: changes.filter(({ kind }) => kind === 'widening').length }),
    ...(signed === null
      ? {}
      : { approver: signed.principal, approver_key: signed.fingerprint, approval_grade: signed.grade }),
  };
}

/** The record of content that is not trusted any more; `forgotten`: nor has anybody to approve what comes next. */
export function untrustedRecord(
  pin: Pick<Pin, 'path' | 'repo' | 'sha256'> | OldPin,
  ambient: Ambient,
  state: StatePlace,
  forgotten = false,
): AuditFields {
  return {
    event: 'untrusted',
    ...subjectFields(pin, ambient, state),
    map_trust: 'untrusted',
    ...(forgotten ? { forgotten } : {}),
  };
}

function subjectFields(
  pin: Pick<Pin, 'path' | 'repo' | 'sha256'> | OldPin,
  ambient: Ambient,
  state: StatePlace,
): Pick<AuditFields, 'map_path' | 'map_sha256' | 'repo' | 'actor' | 'cwd' | 'state_override'> {
  return {
    map_path: pin.path,
    map_sha256: pin.sha256,
    ...('repo' in pin ? { repo: pin.repo } : {}),
    actor: osUser(ambient.uid),
    cwd: ambient.cwd,
    ...(state.override === null ? {} : { state_override: state.override }),
  };
}
