/** What the schema can't say about a `gcp` capability. */
import type { Report } from '../../fault.ts';
import type { Place } from '../../map-place.ts';
import type { SoundRaw } from '../descriptor.ts';
import { accessBoundary, MAX_BOUNDARY_LENGTH } from './boundary.ts';
import type { gcpFields } from './fields.ts';

type Sound = SoundRaw<typeof gcpFields>;

export function checkGcp(raw: Sound, at: Place, report: Report): void {
  checkAccount(raw, at, report);
  checkBoundary(raw, at, report);
  checkDelivery(raw, at, report);
  checkValues(raw, at, report);
}

/** What only a service account's token can have. */
function checkAccount(raw: Sound, at: Place, report: Report): void {
  if (raw.service_account !== undefined) return;
  for (const key of ['delegates', 'boundary', 'iam_endpoint'] as const) {
    if (raw[key] === undefined) continue;
    const message = `"${key}" needs a service_account`;
    report(
      [...at, key],
      'missing_key',
      message,
      'add "service_account: NAME@PROJECT.iam.gserviceaccount.com"',
      'key',
    );
  }
}

function checkBoundary({ boundary }: Sound, at: Place, report: Report): void {
  if (boundary === undefined) return;
  const rules = boundary.map((rule) => ({ ...rule, condition: rule.condition ?? null }));
  const { length } = JSON.stringify(accessBoundary(rules));
  if (length <= MAX_BOUNDARY_LENGTH) return;
  const message = `"boundary" has ${length} characters as JSON; Google takes ${MAX_BOUNDARY_LENGTH}`;
  report(
    [...at, 'boundary'],
    'wrong_value',
    message,
    'split the capability, or shorten the conditions',
    'key',
  );
}

/**
 * Client libraries look for credentials in HOME before they ask a metadata server, and not all of them honour
 * CLOUDSDK_CONFIG (the one for Go does not).
 */
function checkDelivery(raw: Sound, at: Place, report: Report): void {
  if (raw.delivery === undefined || raw.delivery === 'environment' || raw.home === 'private') return;
  const message = `"delivery" is ${raw.delivery}, and client libraries would find the user's own login in HOME first`;
  report([...at, 'delivery'], 'name_clash', message, 'add "home: private"', 'key');
}

/** Values that a lease has only where the map has them. */
function checkValues(raw: Sound, at: Place, report: Report): void {
  for (const key of ['inject', 'files'] as const) {
    for (const [name, value] of Object.entries(raw[key] ?? {})) {
      const field = (['project', 'quota_project', 'service_account'] as const).find((it) => it === value);
      if (field === undefined || raw[field] !== undefined) continue;
      const message = `"${name}" gets ${field}, which the capability does not have`;
      report([...at, key, name], 'missing_key', message, `add "${field}: ..." or delete ${name}`, 'key');
    }
  }
}
