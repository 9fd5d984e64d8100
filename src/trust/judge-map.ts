/** From a map's file to the judgement: what trust is kept, which repository this is, whose signatures hold. */
import type { AdminConfig } from '../base/admin-config.ts';
import type { Ambient } from '../base/ambient.ts';
import type { MapFile } from '../policy/map-file.ts';
import { judgeTrust, type MapSubject, pinsFor, type SignedChecks, type TrustJudgement } from './judge.ts';
import { type MapRepo, mapRepo } from './map-repo.ts';
import type { TrustStore } from './pin.ts';
import { readTrust, type TrustPlace } from './pins.ts';
import type { SignedCheck } from './signed.ts';

/** Where a map is judged. */
export interface TrustScene {
  readonly ambient: Ambient;
  readonly admin: AdminConfig;
  readonly stateDir: string;
}

/** Judges a map that was read; `asked` is the path that it was looked for under. Throws ERR_STATE_UNSAFE, ERR_CONFIG_INVALID. */
export async function judgeMap(file: MapFile, asked: string, scene: TrustScene): Promise<TrustJudgement> {
  const { ambient, admin, stateDir } = scene;
  const place = { stateDir, uid: ambient.uid };
  if (file.adminOwned) return { trusted: true, grade: 'admin_owned', approver: null };
  const store = readTrust(place);
  // Without a pin under this path there is nothing that a repository could fit.
  const repo = store.pins.some(({ path }) => path === file.path) ? mapRepo(file.dir, ambient) : NO_REPO;
  return judgeSubject({ file, asked, repo }, store, place, admin);
}

/** Judges a map whose repository is known, verifying the signatures that could make it trusted. */
export async function judgeSubject(
  subject: MapSubject,
  store: TrustStore,
  place: TrustPlace,
  admin: AdminConfig,
): Promise<TrustJudgement> {
  const checks = await checkSigned(subject, store, place, admin);
  return judgeTrust(subject, store, admin, checks);
}

const NO_REPO: MapRepo = { name: null, from: 'not looked at', root: null };

async function checkSigned(
  subject: MapSubject,
  store: TrustStore,
  place: TrustPlace,
  admin: AdminConfig,
): Promise<SignedChecks> {
  const signed = pinsFor(subject, store).filter((pin) => pin.grade === 'signed');
  const checks = new Map<(typeof signed)[number], SignedCheck>();
  if (signed.length === 0) return checks;
  const { checkSignedPin } = await import('./signed.ts');
  for (const pin of signed) checks.set(pin, checkSignedPin(pin, store, place, admin));
  return checks;
}
