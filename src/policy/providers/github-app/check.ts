/** What the schema can't say about a `github-app` capability. */
import type { Report } from '../../fault.ts';
import type { Place } from '../../map-place.ts';
import { seconds } from '../../schema-fields.ts';
import type { SoundRaw } from '../descriptor.ts';
import type { gitHubAppFields } from './fields.ts';

type Sound = SoundRaw<typeof gitHubAppFields>;

/** Seconds that GitHub lets an installation token live, whatever is asked for. */
export const TOKEN_LIFE = 3600;

export function checkGitHubApp(raw: Sound, at: Place, report: Report): void {
  checkKey(raw, at, report);
  checkRepositories(raw, at, report);
  checkLevels(raw, at, report);
  for (const key of ['ttl', 'max_ttl'] as const) {
    const value = raw[key];
    if (value === undefined || seconds(value) <= TOKEN_LIFE) continue;
    const message = `"${key}" is longer than the hour that GitHub gives a token`;
    report([...at, key], 'ttl_too_long', message, `write "${key}: 1h" or less`);
  }
}

/** More names in one request are refused by GitHub. */
const MAX_REPOSITORIES = 500;

function checkKey(raw: Sound, at: Place, report: Report): void {
  const [file, command] = [raw.private_key_file, raw.private_key_command];
  if (file !== undefined && command !== undefined) {
    const message = '"private_key_command" and private_key_file both name the key';
    report([...at, 'private_key_command'], 'source_conflict', message, 'keep one of the two', 'key');
  } else if (file === undefined && command === undefined) {
    const message = '"private_key_file" or private_key_command must name the key';
    report(at, 'missing_key', message, 'add "private_key_file: /path/to/app.pem"', 'key');
  }
}

function checkRepositories(raw: Sound, at: Place, report: Report): void {
  const { repositories } = raw;
  if (repositories === 'all') {
    if (raw.installation_id !== undefined) return;
    const message =
      '"installation_id" must be given with "repositories: all", which names no repository to find it from';
    report([...at, 'repositories'], 'missing_key', message, 'add "installation_id: 12345678"');
    return;
  }
  if (repositories !== undefined && repositories.length > MAX_REPOSITORIES) {
    const message = `"repositories" has more than the ${MAX_REPOSITORIES} names that GitHub takes for one token`;
    report([...at, 'repositories'], 'wrong_value', message, 'write a capability for each part');
  }
  const [first = ''] = repositories ?? [];
  const seen = new Set<string>();
  repositories?.forEach((name, index) => {
    const place = [...at, 'repositories', index];
    const lower = name.toLowerCase();
    if (ownerOf(lower) !== ownerOf(first.toLowerCase())) {
      const message = `"${name}" belongs to another owner than ${first}; an installation has one`;
      report(place, 'source_conflict', message, 'write a capability for each owner');
    }
    if (seen.has(lower)) report(place, 'wrong_value', `"${name}" is named twice`, 'delete one of them');
    seen.add(lower);
  });
}

/** Some permissions do not have all levels. */
function checkLevels(raw: Sound, at: Place, report: Report): void {
  const { permissions } = raw;
  if (permissions === undefined || permissions === 'all') return;
  for (const [name, level] of Object.entries(permissions)) {
    const place = [...at, 'permissions', name];
    if (name === 'workflows' && level !== 'write') {
      report(
        place,
        'wrong_value',
        `"${name}" must be write: GitHub has no other level of it`,
        `${name}: write`,
      );
    }
    if (level === 'admin' && !name.endsWith('_projects')) {
      report(place, 'wrong_value', `"${name}" must be read or write`, `${name}: write`);
    }
  }
}

export function ownerOf(repository: string): string {
  return repository.split('/')[0] ?? '';
}
