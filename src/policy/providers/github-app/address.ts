/** The three kinds of GitHub, told apart by the address of the API. */

export const GITHUB_API = 'https://api.github.com';

/**
 * `github.com`; `ghe.com`: GitHub Enterprise Cloud with data residency, at `https://api.SUBDOMAIN.ghe.com`; `server`:
 * GitHub Enterprise Server, at `https://HOST/api/v3`.
 */
export type GitHubKind = 'github.com' | 'ghe.com' | 'server';

export interface GitHubAddress {
  readonly kind: GitHubKind;
  /** Where git and browsers go, without a slash at the end: `https://github.com`. */
  readonly web: string;
  /** The same as a host, with its port: what `gh` takes in GH_HOST. */
  readonly host: string;
}

/** `apiUrl` as the schema accepts it. */
export function gitHubAddress(apiUrl: string): GitHubAddress {
  const url = new URL(apiUrl);
  const host = url.host.replace(/^api\./, '');
  const kind = host === 'github.com' ? host : host.endsWith('.ghe.com') ? 'ghe.com' : 'server';
  return kind === 'server'
    ? { kind, host: url.host, web: url.origin }
    : { kind, host, web: `https://${host}` };
}

/**
 * Child variable → value of the lease. `gh` reads GH_TOKEN for github.com and ghe.com, and GH_ENTERPRISE_TOKEN for a
 * server (https://cli.github.com/manual/gh_help_environment). A server's token gets none of the names that tools send to
 * github.com.
 */
export function gitHubInject(apiUrl: string): Readonly<Record<string, string>> {
  const { kind } = gitHubAddress(apiUrl);
  if (kind === 'github.com') return { GITHUB_TOKEN: 'token', GH_TOKEN: 'token' };
  const place = { GH_HOST: 'host', GITHUB_API_URL: 'api_url' };
  return kind === 'ghe.com'
    ? { GITHUB_TOKEN: 'token', GH_TOKEN: 'token', ...place }
    : { GH_ENTERPRISE_TOKEN: 'token', GITHUB_ENTERPRISE_TOKEN: 'token', ...place };
}

/** How many `GIT_CONFIG_KEY_n` the lease sets, at most. */
export const GIT_SETTINGS = 7;

/** What steers git in the child, beside the lease's variables; a map can neither pass nor set these. */
export const GIT_VARIABLES: readonly string[] = [
  'GIT_TERMINAL_PROMPT',
  'GIT_ASKPASS',
  'GIT_CONFIG_PARAMETERS',
  'GIT_CONFIG_COUNT',
  ...Array.from({ length: GIT_SETTINGS }, (_, index) => [
    `GIT_CONFIG_KEY_${index}`,
    `GIT_CONFIG_VALUE_${index}`,
  ]).flat(),
];
