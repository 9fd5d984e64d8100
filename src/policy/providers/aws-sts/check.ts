/** What the schema can't say about an `aws-sts` capability. */

import { formatDuration } from '../../../base/duration.ts';
import type { Report } from '../../fault.ts';
import type { Place } from '../../map-place.ts';
import { seconds } from '../../schema-fields.ts';
import { holdsRoleSession, holdsToken } from '../../sources/index.ts';
import type { SoundRaw } from '../descriptor.ts';
import { checkScope } from './broad-scope.ts';
import type { awsStsFields } from './fields.ts';

type Sound = SoundRaw<typeof awsStsFields>;

export function checkAwsSts(raw: Sound, at: Place, report: Report): void {
  checkScope(raw.scope ?? [], [...at, 'scope'], report);
  checkSource(raw, at, report);
  checkChain(raw, at, report);
  checkTags(raw, at, report);
  checkDelivery(raw, at, report);
}

/** Keys that are also in a variable or file would make the endpoint pointless: whoever sees them needs it no more. */
function checkDelivery(raw: Sound, at: Place, report: Report): void {
  if (raw.delivery !== 'credentials-endpoint') return;
  for (const key of ['inject', 'files'] as const) {
    for (const [name, value] of Object.entries(raw[key] ?? {})) {
      if (value === 'region') continue;
      const message = `"${name}" would have ${value} beside the credentials endpoint`;
      report([...at, key, name], 'name_clash', message, 'delete it, or delete delivery', 'key');
    }
  }
}

/** AssumeRoleWithWebIdentity has no parameters for these; their values can only come from the token's claims. */
function checkSource(raw: Sound, at: Place, report: Report): void {
  if (raw.source === undefined || !holdsToken(raw.source)) return;
  for (const key of ['external_id', 'mfa_serial', 'source_identity', 'session_tags'] as const) {
    if (raw[key] === undefined) continue;
    const message = `"${key}" can't be sent with a token as source`;
    const fix = 'delete it, or use a source of type profile or env';
    report([...at, key], 'source_conflict', message, fix, 'key');
  }
}

/** The longest session that STS gives to whoever is a role already. */
const MAX_CHAINED = 3600;

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining */
function checkChain(raw: Sound, at: Place, report: Report): void {
  if (raw.source === undefined || !holdsRoleSession(raw.source)) return;
  const { type } = raw.source;
  for (const key of ['ttl', 'max_ttl'] as const) {
    const value = raw[key];
    if (value === undefined || seconds(value) <= MAX_CHAINED) continue;
    const message = `"${key}" is ${formatDuration(seconds(value))}; a source of type ${type} is a role already, and STS gives a role that assumes another 1h at most`;
    report([...at, key], 'ttl_too_long', message, `write "${key}: 1h"`);
  }
  if (raw.mfa_serial === undefined) return;
  const message = `"mfa_serial" can't be used with a source of type ${type}: a role has no MFA device`;
  report([...at, 'mfa_serial'], 'source_conflict', message, 'delete it', 'key');
}

/** STS compares tag keys without case. */
function checkTags(raw: Sound, at: Place, report: Report): void {
  const seen = new Map<string, string>();
  for (const key of Object.keys(raw.session_tags ?? {})) {
    const earlier = seen.get(key.toLowerCase());
    if (earlier !== undefined) {
      const message = `"${key}" and "${earlier}" are one tag key to STS`;
      report([...at, 'session_tags', key], 'duplicate_key', message, 'keep one of the two', 'key');
    }
    seen.set(key.toLowerCase(), key);
  }
}
