/** Whether a map may grant: a map that the agent can edit must not do so silently. */
import { ADMIN_CONFIG_PATH, type AdminConfig } from '../base/admin-config.ts';
import { MAP_TRUST_GRADES, type MapTrust } from '../base/map-trust.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { CapwrapError } from '../errors.ts';
import { MAP_NAME, type MapFile } from '../policy/map-file.ts';
import type { Pin } from './pins.ts';

export type TrustJudgement =
  | { readonly trusted: true; readonly grade: MapTrust }
  | { readonly trusted: false; readonly why: string; readonly hint: string };

/**
 * Judges the content that was read, by its digest: admin-owned, or pinned under this path, and of the grade that the
 * administrator demands. `hint` is the command that would make the map usable.
 *
 * Grades, weakest first: `pinned_noninteractive`, `pinned`, `signed`, `admin_owned`. Nothing is graded `signed` in
 * this version, so that demand is met by an admin-owned map alone.
 */
export function judgeTrust(file: MapFile, pins: readonly Pin[], admin: AdminConfig): TrustJudgement {
  const grade = gradeOf(file, pins);
  const demanded = admin.requireMapTrust;
  if (grade !== null && (demanded === null || rank(grade) >= rank(demanded))) return { trusted: true, grade };
  return { trusted: false, why: whyNot(file, pins, grade, demanded), hint: remedy(file, demanded) };
}

/** The grade of a trusted map; throws ERR_MAP_UNTRUSTED for any other. */
export function requireTrusted(file: MapFile, pins: readonly Pin[], admin: AdminConfig): MapTrust {
  const verdict = judgeTrust(file, pins, admin);
  if (verdict.trusted) return verdict.grade;
  throw new CapwrapError('ERR_MAP_UNTRUSTED', `"${file.path}" is not trusted: ${verdict.why}`, {
    hint: verdict.hint,
  });
}

function gradeOf(file: MapFile, pins: readonly Pin[]): MapTrust | null {
  if (file.adminOwned) return 'admin_owned';
  const grades = pins
    .filter((pin) => pin.path === file.path && pin.sha256 === file.sha256)
    .map((pin) => pin.grade);
  if (grades.includes('pinned')) return 'pinned';
  return grades[0] ?? null;
}

function whyNot(
  file: MapFile,
  pins: readonly Pin[],
  grade: MapTrust | null,
  demanded: MapTrust | null,
): string {
  if (grade !== null) return `it is ${grade}, and ${ADMIN_CONFIG_PATH} demands ${demanded}`;
  return pins.some((pin) => pin.path === file.path)
    ? 'its content is not a version that was trusted'
    : 'nobody has trusted it here';
}

function remedy(file: MapFile, demanded: MapTrust | null): string {
  return demanded !== null && rank(demanded) > rank('pinned')
    ? `sudo install -o root -m 644 ${shellQuote(file.path)} /etc/capwrap/${MAP_NAME}`
    : `capwrap trust ${shellQuote(file.path)}`;
}

function rank(grade: MapTrust): number {
  return MAP_TRUST_GRADES.indexOf(grade);
}
