/** What the schema can't say about a `vault` capability. */
import type { Report } from '../../fault.ts';
import type { Place } from '../../map-place.ts';
import type { SoundRaw } from '../descriptor.ts';
import type { vaultFields } from './fields.ts';

type Sound = SoundRaw<typeof vaultFields>;

export function checkVault(raw: Sound, at: Place, report: Report): void {
  if (raw.inject === undefined && raw.files === undefined) {
    const fix = 'add "inject: {PGUSER: username, PGPASSWORD: password}", with the fields of this secret';
    report(at, 'missing_key', '"inject" is missing: no tool has standard names for these values', fix, 'key');
  }
  const { auth, ttl_parameter: ttl } = raw;
  if (auth !== undefined && 'source' in auth && auth.source?.type === 'github-actions') {
    if (auth.source.audience === undefined) {
      const message = '"audience" is missing in source: the token must be for this server';
      const fix = `add to source: audience: ${raw.address ?? 'https://vault.example.com'}`;
      report([...at, 'auth', 'source'], 'missing_key', message, fix, 'key');
    }
  }
  if (ttl !== undefined && Object.hasOwn(raw.parameters ?? {}, ttl)) {
    const message = `"${ttl}" gets the granted lifetime by ttl_parameter`;
    report([...at, 'parameters', ttl], 'name_clash', message, 'keep one of the two', 'key');
  }
}
