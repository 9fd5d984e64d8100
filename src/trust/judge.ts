/** Whether a map may grant: a map that the agent can edit must not do so silently. */
import { ADMIN_CONFIG_PATH, type AdminConfig } from '../base/admin-config.ts';
import { isAtLeast, type MapTrust } from '../base/map-trust.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { CapwrapError } from '../errors.ts';
import { MAP_NAME, type MapFile } from '../policy/map-file.ts';
import type { MapRepo } from './map-repo.ts';
import { isAsStrong, type Pin, type PinGrade, type TrustStore } from './pin.ts';
import type { SignedCheck } from './signed.ts';
import { whyUntrusted } from './why-untrusted.ts';

export type TrustJudgement =
  | {
      readonly trusted: true;
      readonly grade: MapTrust;
      /** Who signed, where somebody did. */
      readonly approver: string | null;
    }
  /** Both are safe to show. `hint` is the command that would make the map usable. */
  | { readonly trusted: false; readonly why: string; readonly hint: string };

/** A map as it was found. */
export interface MapSubject {
  readonly file: Pick<MapFile, 'path' | 'sha256' | 'adminOwned'>;
  /** The path that was asked for, before links were resolved. */
  readonly asked: string;
  readonly repo: MapRepo;
}

/** Verdicts over the signatures of pins; a signed pin without one counts for nothing. */
export type SignedChecks = ReadonlyMap<Pin, SignedCheck>;

/**
 * Judges the content that was read, by its digest: admin-owned, or pinned under this path and in this repository, and
 * of the grade that the administrator demands. Grades, weakest first: `pinned_noninteractive`, `pinned`, `signed`,
 * `admin_owned`.
 */
export function judgeTrust(
  subject: MapSubject,
  store: TrustStore,
  admin: AdminConfig,
  checks: SignedChecks,
): TrustJudgement {
  const { file } = subject;
  if (file.adminOwned) return { trusted: true, grade: 'admin_owned', approver: null };
  const best = bestPin(pinsFor(subject, store), checks);
  if (best !== null && meetsDemand(best.grade, admin)) return { trusted: true, ...best };
  return {
    trusted: false,
    why: best === null ? whyUntrusted(subject, store, checks) : demandWords(best.grade, admin),
    hint: remedy(file.path, admin),
  };
}

/** The pins of exactly this content, path and repository. */
export function pinsFor({ file, repo }: MapSubject, { pins }: TrustStore): readonly Pin[] {
  return pins.filter((pin) => pin.path === file.path && pin.repo === repo.name && pin.sha256 === file.sha256);
}

/** Throws ERR_MAP_UNTRUSTED for a pin that could not make the map usable. */
export function assertGradeCounts(path: string, grade: MapTrust, admin: AdminConfig): void {
  if (meetsDemand(grade, admin)) return;
  throw new CapwrapError('ERR_MAP_UNTRUSTED', `"${path}" is not trusted: ${demandWords(grade, admin)}`, {
    hint: remedy(path, admin),
  });
}

/** True where the administrator accepts a map of this grade. */
export function meetsDemand(grade: MapTrust, { requireMapTrust: demanded }: AdminConfig): boolean {
  return demanded === null || isAtLeast(grade, demanded);
}

interface Worth {
  readonly grade: PinGrade;
  readonly approver: string | null;
}

/** The strongest that the pins are worth; a signed one without a good signature is worth nothing. */
function bestPin(pins: readonly Pin[], checks: SignedChecks): Worth | null {
  const worths = pins.flatMap((pin): Worth[] => {
    if (pin.grade !== 'signed') return [{ grade: pin.grade, approver: null }];
    const check = checks.get(pin);
    return check?.ok ? [{ grade: check.worth, approver: check.principal }] : [];
  });
  return worths.reduce<Worth | null>(
    (best, worth) => (best !== null && isAsStrong(best.grade, worth.grade) ? best : worth),
    null,
  );
}

function demandWords(grade: MapTrust, { requireMapTrust }: AdminConfig): string {
  return `it is ${grade}, and ${ADMIN_CONFIG_PATH} demands ${requireMapTrust}`;
}

/** `capwrap trust` says how to sign where that is what it takes. */
function remedy(path: string, admin: AdminConfig): string {
  const canSign = admin.approvers.length > 0;
  return meetsDemand(canSign ? 'signed' : 'pinned', admin)
    ? `capwrap trust ${shellQuote(path)}`
    : `sudo install -o root -m 644 ${shellQuote(path)} /etc/capwrap/${MAP_NAME}`;
}
