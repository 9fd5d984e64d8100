/** Why a map is not trusted, in one sentence fragment: each way of slipping one in has words of its own. */
import { escapeText } from '../base/escape.ts';
import type { MapSubject, SignedChecks } from './judge.ts';
import { hasVersion, type Pin, type TrustStore } from './pin.ts';
import { repoWords } from './statement.ts';

/** Safe to show. The nearest miss is told first. */
export function whyUntrusted(subject: MapSubject, store: TrustStore, checks: SignedChecks): string {
  const { file, repo } = subject;
  const here = store.pins.filter((pin) => pin.path === file.path);
  const same = here.filter((pin) => pin.sha256 === file.sha256);
  const fits = (pin: Pin) => pin.repo === repo.name;
  const isOld = store.oldPins.some((pin) => pin.path === file.path && pin.sha256 === file.sha256);
  const elsewhere = store.pins.find((pin) => pin.sha256 === file.sha256 && pin.path !== file.path);

  const signed = same.find(fits);
  if (signed !== undefined) return `its signature does not count: ${signatureFault(signed, checks)}`;
  const [other] = same;
  if (other !== undefined) return `it was trusted in ${named(other.repo)}, and this is ${thisRepo(subject)}`;
  if (isOld) return 'it was trusted by an older version of capwrap, which did not note for which repository';
  const link = leadsAway(subject, store);
  if (link !== null) return link;
  if (elsewhere !== undefined) {
    return `the same content was trusted as ${escapeText(elsewhere.path)}, and not here`;
  }
  if (store.lineages.some((each) => each.path === file.path && hasVersion(each, file.sha256))) {
    return 'its trust was withdrawn';
  }
  if (here.some(fits)) return 'its content is not a version that was trusted';
  const [foreign] = here;
  if (foreign !== undefined) {
    return `what was trusted here is of ${named(foreign.repo)}, and this is ${thisRepo(subject)}`;
  }
  return 'nobody has trusted it here';
}

function signatureFault(pin: Pin, checks: SignedChecks): string {
  const check = checks.get(pin);
  return check === undefined || check.ok ? 'it was not verified' : check.why;
}

/** A map, or a folder above it, that became a link since something was trusted there. */
function leadsAway({ asked, file }: MapSubject, store: TrustStore): string | null {
  if (asked === file.path || !store.pins.some((pin) => pin.path === asked)) return null;
  return `${escapeText(asked)} was trusted, and leads to ${escapeText(file.path)} now`;
}

function thisRepo({ repo }: MapSubject): string {
  return repo.name === null ? `one whose name can't be told: ${escapeText(repo.from)}` : named(repo.name);
}

function named(repo: string | null): string {
  return escapeText(repoWords(repo));
}
