/** From a remote's URL to the repository's name; nothing else of the URL is kept but the host. */

/** Who a remote is. `host` has no user, password or port. */
export interface RemoteName {
  /** Path of the URL: `owner/name`, or more segments where the host nests groups. */
  readonly repo: string;
  readonly host: string;
}

/**
 * Reads `https://…`, `ssh://…`, `git://…` and `user@host:path` (git-clone(1), "GIT URLS"). Returns the reason as text
 * where there is no name to be had; the reason never quotes the URL, which may hold a password.
 */
export function parseRemoteUrl(url: string): RemoteName | string {
  if (/[\p{Cc}\s\uFFFD\\]/u.test(url)) return 'has a URL with blanks, backslashes or control characters';
  const withScheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/.exec(url);
  if (withScheme) return parseStandard(withScheme[1] ?? '', withScheme[2] ?? '');
  if (/^[A-Za-z0-9+-]+::/.test(url)) return 'uses a remote helper';
  // git's rule: without a colon, or with a slash before the first one, it is a path.
  const scpLike = /^(?:[^/:@]*@)?(\[[0-9A-Fa-f:.]+\]|[^/:@[\]]+):(.*)$/.exec(url);
  if (!scpLike) return /^[^/]*:/.test(url) ? 'has a URL that is not understood' : 'is a local path';
  return nameOf(scpLike[1] ?? '', scpLike[2] ?? '');
}

const SCHEMES = new Set(['https', 'http', 'ssh', 'git', 'git+ssh', 'ssh+git', 'git+https', 'git+http']);

function parseStandard(scheme: string, rest: string): RemoteName | string {
  if (scheme.toLowerCase() === 'file') return 'is a local path';
  if (!SCHEMES.has(scheme.toLowerCase())) return 'has a URL of an unknown kind';
  const slash = rest.indexOf('/');
  if (slash < 0) return 'has a URL without a path';
  const authority = rest.slice(0, slash);
  const path = rest.slice(slash);
  // A password with an unescaped "@" or "/" would shift the borders: what is left must look like a host.
  const host = /^(?:[^@]*@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{0,5})?$/.exec(authority)?.[1];
  if (host === undefined || path.includes('@')) return 'has a URL that is not understood';
  return nameOf(host, path);
}

function nameOf(host: string, path: string): RemoteName | string {
  if (/[?#]/.test(path)) return 'has a URL with a query or fragment';
  const segments = path
    .replace(/^\/+|\/+$/g, '')
    .split('/')
    .map(decodeSegment);
  const last = segments.at(-1)?.replace(/\.git$/, '') ?? '';
  const all = [...segments.slice(0, -1), last];
  if (all.some((segment) => segment === null || !isName(segment)))
    return 'has a URL whose path names no repository';
  const repo = all.join('/');
  return repo.length > MAX_LENGTH ? 'has a URL whose path is too long' : { repo, host };
}

const MAX_LENGTH = 256;

function decodeSegment(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

function isName(segment: string): boolean {
  return segment !== '' && segment !== '.' && segment !== '..' && !/[/\\@:?#\p{Cc}]/u.test(segment);
}
