/** What was granted against what was asked: https://docs.github.com/en/rest/apps/apps */
import { ownerOf } from '../../../policy/providers/github-app/check.ts';
import {
  type GitHubAppConfig,
  permissionWords,
  repositoryWords,
} from '../../../policy/providers/github-app.ts';
import type { LeaseFault } from '../../provider.ts';

/** GitHub adds it to every token. */
const ALWAYS = 'metadata:read';

/** In what the granted scope (mint.ts) differs from the map's; null where it is the same. */
export function faultOfScope(granted: readonly string[], config: GitHubAppConfig): LeaseFault | null {
  const isRepository = (word: string) => word.includes('/') || word.startsWith('repositories:');
  const permissions = granted.filter((word) => !isRepository(word));
  const repositories = granted.filter(isRepository);
  return faultOfRepositories(repositories, config) ?? faultOfPermissions(permissions, config);
}

function faultOfRepositories(granted: readonly string[], config: GitHubAppConfig): LeaseFault | null {
  if (config.repositories === 'all') return null;
  const asked = repositoryWords(config);
  const owner = ownerOf(asked[0] ?? '').toLowerCase();
  const strange = granted.find((word) => word.includes('/') && ownerOf(word).toLowerCase() !== owner);
  if (strange !== undefined) {
    return {
      code: 'ERR_PROVIDER_WRONG_PRINCIPAL',
      text: `issued a token for "${strange}", which is another owner's`,
    };
  }
  return difference(granted, asked, (word) => word.toLowerCase());
}

function faultOfPermissions(granted: readonly string[], config: GitHubAppConfig): LeaseFault | null {
  if (config.permissions === 'all') return null;
  const asked = permissionWords(config);
  return difference(
    granted.filter((word) => word !== ALWAYS),
    asked.filter((word) => word !== ALWAYS),
    (word) => word,
  );
}

function difference(
  granted: readonly string[],
  asked: readonly string[],
  key: (word: string) => string,
): LeaseFault | null {
  const [has, wants] = [granted, asked].map((words) => new Set(words.map(key)));
  const extra = granted.filter((word) => !wants?.has(key(word)));
  if (extra.length > 0) return fault(`issued a token that may do more than was asked for: ${some(extra)}`);
  const missing = asked.filter((word) => !has?.has(key(word)));
  return missing.length > 0 ? fault(`issued a token without ${some(missing)}`) : null;
}

function fault(text: string): LeaseFault {
  return { code: 'ERR_PROVIDER_SCOPE', text };
}

function some(words: readonly string[]): string {
  const rest = words.length > 3 ? ` and ${words.length - 3} more` : '';
  return `${words.slice(0, 3).join(', ')}${rest}`;
}
