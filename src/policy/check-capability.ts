/** What the schema can't say about a capability, because it takes two fields to see it. */
import { formatDuration } from '../base/duration.ts';
import { checkEnv } from './check-env.ts';
import { checkRules } from './check-rules.ts';
import type { Report } from './fault.ts';
import type { Place } from './map-place.ts';
import { resolveTtl } from './normalise.ts';
import { policyOf } from './providers/index.ts';
import type { RawDefaults, SoundCapability } from './schema.ts';
import { seconds } from './schema-fields.ts';

/** The longest life that a credential can have: STS's `DurationSeconds`, and the same for our own tokens. */
const MAX_LIFETIME = 43_200;
const MAX_KILL_AFTER = 300;

export function checkCapability(
  raw: SoundCapability,
  defaults: RawDefaults,
  at: Place,
  dir: string,
  report: Report,
): void {
  checkTimes(raw, defaults, at, report);
  const home = raw.home ?? defaults.home;
  policyOf(raw).check?.(home === undefined ? raw : { ...raw, home }, at, report);
  checkRules(raw, at, dir, report);
  checkEnv(raw, defaults, at, report);
}

/** Checks the times of `defaults`, which must hold for every capability. */
export function checkDefaultTimes(defaults: RawDefaults, report: Report): void {
  checkOwnTimes(defaults, ['defaults'], report);
}

function checkTimes(raw: SoundCapability, defaults: RawDefaults, at: Place, report: Report): void {
  if (!checkOwnTimes(raw, at, report) || raw.ttl === undefined) return;
  const { ttl, maxTtl } = resolveTtl(raw, defaults);
  if (raw.max_ttl === undefined && ttl > maxTtl) {
    const message = `"ttl" is ${formatDuration(ttl)}, longer than max_ttl of defaults (${formatDuration(maxTtl)})`;
    report([...at, 'ttl'], 'ttl_too_long', message, `add "max_ttl: ${formatDuration(ttl)}"`);
  }
}

/** True where the times hold by themselves. */
function checkOwnTimes(raw: RawDefaults, at: Place, report: Report): boolean {
  let fine = true;
  const tooLong = (key: string, message: string, fix: string) => {
    fine = false;
    report([...at, key], 'ttl_too_long', `"${key}" ${message}`, fix);
  };
  for (const key of ['ttl', 'max_ttl'] as const) {
    if (raw[key] !== undefined && seconds(raw[key]) > MAX_LIFETIME) {
      tooLong(key, 'is longer than 12h, the longest life of a credential', `write "${key}: 12h" or less`);
    }
  }
  if (fine && raw.ttl !== undefined && raw.max_ttl !== undefined && seconds(raw.ttl) > seconds(raw.max_ttl)) {
    tooLong('ttl', `is longer than max_ttl (${raw.max_ttl})`, `write "ttl: ${raw.max_ttl}" or raise max_ttl`);
  }
  if (raw.kill_after !== undefined && seconds(raw.kill_after) > MAX_KILL_AFTER) {
    tooLong('kill_after', 'is longer than 5m', 'write "kill_after: 10s"');
  }
  return fine;
}
