/** Provider `github-app`: a token of an installation of a GitHub App, for named repositories and permissions. */
import { resolve } from 'node:path';
import { escapeValue } from '../../base/escape.ts';
import { anotherOne, canonical } from '../diff/change.ts';
import { absolute } from '../sources/fields.ts';
import { pairs, words } from '../summary-text.ts';
import { compareFields, type FieldComparisons } from './compare-fields.ts';
import type { ProviderPolicy } from './descriptor.ts';
import { GIT_VARIABLES, GITHUB_API, gitHubInject } from './github-app/address.ts';
import { checkGitHubApp } from './github-app/check.ts';
import { comparePermissions, compareRepositories } from './github-app/compare.ts';
import { gitHubAppFields, type PermissionLevel } from './github-app/fields.ts';

/** A program that prints the private key. */
export interface KeyCommand {
  /** The program's path is absolute where the map gives it with a slash. */
  readonly argv: readonly string[];
  /** The map's directory, in which it runs. */
  readonly dir: string;
}

export interface GitHubAppConfig {
  readonly provider: 'github-app';
  /** Client id of the app, or its number. */
  readonly appId: string;
  /** Null: it is found from the first repository. */
  readonly installationId: string | null;
  /** Without a slash at the end. */
  readonly apiUrl: string;
  readonly caFile: string | null;
  /** Exactly one of the two is set. */
  readonly privateKeyFile: string | null;
  readonly privateKeyCommand: KeyCommand | null;
  /** `OWNER/NAME`, all of one owner. */
  readonly repositories: readonly string[] | 'all';
  readonly permissions: Readonly<Record<string, PermissionLevel>> | 'all';
  readonly git: 'helper' | 'none';
}

const COMPARISONS: FieldComparisons<GitHubAppConfig> = {
  appId: 'widening',
  installationId: 'widening',
  apiUrl: 'widening',
  caFile: 'widening',
  privateKeyFile: 'widening',
  privateKeyCommand: (before, after, at) => {
    const [older, newer] = [before, after].map((command) => command && canonical(command.argv));
    if (older === newer) return []; // where the map stands changes nothing by itself
    return [anotherOne('widening', at, 'private_key_command', older ?? null, newer ?? null)];
  },
  repositories: compareRepositories,
  permissions: comparePermissions,
  git: 'widening',
};

export const gitHubApp: ProviderPolicy<typeof gitHubAppFields, GitHubAppConfig> = {
  name: 'github-app',
  fields: gitHubAppFields,
  freeMappings: ['permissions'],
  examples: {
    app_id: 'app_id: Iv23liAbCdEfGhIjKlMn',
    installation_id: 'installation_id: 12345678',
    api_url: 'api_url: https://github.example.com/api/v3',
    private_key_file: 'private_key_file: /etc/capwrap/app.pem',
    private_key_command: 'private_key_command: [./print-app-key.sh]',
    repositories: 'repositories: [acme/web-app]',
    permissions: 'permissions: {contents: read}',
  },
  sources: [],
  normalise: (raw, dir) => ({
    provider: raw.provider,
    appId: String(raw.app_id),
    installationId: raw.installation_id === undefined ? null : String(raw.installation_id),
    apiUrl: (raw.api_url ?? GITHUB_API).replace(/\/+$/, ''),
    caFile: absolute(raw.ca_file, dir),
    privateKeyFile: absolute(raw.private_key_file, dir),
    privateKeyCommand: keyCommand(raw.private_key_command, dir),
    repositories: raw.repositories,
    permissions: raw.permissions,
    git: raw.git ?? 'helper',
  }),
  check: checkGitHubApp,
  leaseValues: ['token', 'expires_at', 'hashed_token', 'host', 'api_url'],
  injectHelp:
    'Child variables and the values of the lease they get; by default GITHUB_TOKEN and GH_TOKEN, and for GitHub Enterprise Server GH_ENTERPRISE_TOKEN and GH_HOST',
  defaultInject: ({ api_url = GITHUB_API }) => gitHubInject(api_url),
  spellsOutInject: false,
  credentialNames: [
    ...['GITHUB_TOKEN', 'GH_TOKEN', 'GH_ENTERPRISE_TOKEN', 'GITHUB_ENTERPRISE_TOKEN'],
    ...GIT_VARIABLES,
  ],
  startsProgram: ({ privateKeyCommand }) => privateKeyCommand !== null,
  scopeWords: (config) => [...permissionWords(config), ...repositoryWords(config)],
  target: ({ appId, installationId, apiUrl, repositories }) =>
    `app ${appId} at ${apiUrl}, installation ${installationId ?? `of ${repositories[0]}`}`,
  reach: (config) => {
    const permissions = permissionWords(config).join(', ');
    return repositoryWords(config).map((repository) => `${permissions} on ${repository}`);
  },
  summaryRows: (config) => [
    ['app', escapeValue(config.appId)],
    ['installation', config.installationId && escapeValue(config.installationId)],
    ['api', escapeValue(config.apiUrl)],
    ['ca file', config.caFile && escapeValue(config.caFile)],
    ['key file', config.privateKeyFile && escapeValue(config.privateKeyFile)],
    ['key program', config.privateKeyCommand && programText(config.privateKeyCommand)],
    ['repositories', config.repositories === 'all' ? 'all' : words(config.repositories)],
    ['permissions', config.permissions === 'all' ? 'all' : pairs(config.permissions).join(' ')],
    ['git', config.git === 'none' ? config.git : null],
  ],
  proofs: () => [],
  compare: (before, after, at) => compareFields(COMPARISONS, before, after, at),
  *lint(config, capability) {
    for (const key of ['repositories', 'permissions'] as const) {
      if (config[key] !== 'all') continue;
      yield {
        code: 'broad',
        at: `capabilities.${capability}.${key}`,
        message: `"${capability}" allows all ${key} that the installation has, now and later`,
        fix: `name the ${key} that are needed`,
      };
    }
  },
};

function programText({ argv }: KeyCommand): string {
  return argv.map(escapeValue).join(' ');
}

function keyCommand(argv: readonly string[] | undefined, dir: string): KeyCommand | null {
  if (argv === undefined) return null;
  const [program = '', ...args] = argv;
  return { argv: [program.includes('/') ? resolve(dir, program) : program, ...args], dir };
}

/** In the form in which the lease says what GitHub granted. */
export function permissionWords({ permissions }: Pick<GitHubAppConfig, 'permissions'>): readonly string[] {
  if (permissions === 'all') return ['permissions:all'];
  return Object.entries(permissions).map(([name, level]) => `${name}:${level}`);
}

export function repositoryWords({ repositories }: Pick<GitHubAppConfig, 'repositories'>): readonly string[] {
  return repositories === 'all' ? ['repositories:all'] : repositories;
}
