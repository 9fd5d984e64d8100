/** What reviewers see of a `github-app` capability: summary, differences, findings, and what its lease fills. */
import { describe, expect, it } from 'vitest';
import { compareMaps } from '../../src/policy/diff/compare-maps.ts';
import { summariseMap } from '../../src/policy/map-summary.ts';
import { analyseMap } from '../../src/policy/parse.ts';
import { gitHubApp } from '../../src/policy/providers/github-app.ts';
import { codesOf, good } from './lint-from.ts';
import { capabilityFrom, mapFrom } from './map-from.ts';

const APP = {
  description: 'd',
  provider: 'github-app',
  app_id: 123,
  private_key_file: 'app.pem',
  repositories: ['acme/web-app', 'acme/docs'],
  permissions: { contents: 'read', checks: 'write' },
  rules: [{ allow: { repo: 'acme/web-app' } }],
};
const mapOf = (raw: object) => mapFrom(JSON.stringify({ version: 1, capabilities: { x: raw } }));

/** The validated config. */
function configOf(changes: object) {
  const { config } = capabilityFrom({ ...APP, ...changes });
  if (config.provider !== 'github-app') throw new Error(config.provider);
  return config;
}

it('is shown for trust with all that steers a grant', () => {
  const map = mapOf({
    ...APP,
    private_key_file: undefined,
    private_key_command: ['./print key.sh', '--app', '$(x)'],
    installation_id: 7,
    api_url: 'https://ghe.example.com/api/v3/',
    ca_file: 'ca.pem',
    git: 'none',
  });
  const text = summariseMap(map).join('\n');
  for (const part of [
    /app +123$/m,
    /installation +7$/m,
    /api +https:\/\/ghe\.example\.com\/api\/v3$/m,
    /ca file +\/\S+\/ca\.pem$/m,
    /key program +"\/\S+\/print key\.sh" --app \$\(x\)$/m,
    /repositories +acme\/web-app, acme\/docs$/m,
    /permissions +contents=read checks=write$/m,
    /git +none$/m,
  ]) {
    expect(text).toMatch(part);
  }
});

describe('differences', () => {
  it.each<[string, object, object, readonly string[]]>([
    ['none', {}, {}, []],
    [
      'a level that rises',
      {},
      { permissions: { contents: 'write', checks: 'write' } },
      ['widening permissions contents:write'],
    ],
    [
      'a level that falls',
      {},
      { permissions: { contents: 'read', checks: 'read' } },
      ['narrowing permissions checks:write'],
    ],
    [
      'one permission for another',
      {},
      { permissions: { contents: 'read', issues: 'read' } },
      ['widening permissions issues:read', 'narrowing permissions checks:read; checks:write'],
    ],
    ['the same permissions in another order', {}, { permissions: { checks: 'write', contents: 'read' } }, []],
    ['a repository more', { repositories: ['acme/docs'] }, {}, ['widening repositories acme/web-app']],
    ['a repository less', {}, { repositories: ['acme/docs'] }, ['narrowing repositories acme/web-app']],
    [
      'all repositories',
      { installation_id: 1 },
      { installation_id: 1, repositories: 'all' },
      ['widening repositories all'],
    ],
    ['no longer all', { permissions: 'all' }, {}, ['narrowing permissions all']],
    ['another app', {}, { app_id: 124 }, ['widening app_id 124']],
    [
      'another server',
      {},
      { api_url: 'https://ghe.example.com/api/v3' },
      ['widening api_url https://ghe.example.com/api/v3'],
    ],
    ['the same server by name', {}, { api_url: 'https://api.github.com/' }, []],
    [
      'a program in place of a file',
      {},
      { private_key_file: undefined, private_key_command: ['/k'] },
      ['widening private_key_file null', 'widening private_key_command ["/k"]'],
    ],
    ['git without the token', {}, { git: 'none' }, ['widening git none']],
  ])('%s', (_, before, after, expected) => {
    const changes = compareMaps(mapOf({ ...APP, ...before }), mapOf({ ...APP, ...after }));
    expect(
      changes.map(({ kind, at, before: gone, after: now }) => {
        return `${kind} ${at.replace('capabilities.x.', '')} ${kind === 'narrowing' ? gone : now}`;
      }),
    ).toEqual(expected);
  });

  it('the map in another folder is none', () => {
    const [older, newer] = ['/a', '/b'].map((dir) => ({
      ...configOf({}),
      privateKeyCommand: { argv: ['/k'], dir },
    }));
    if (older === undefined || newer === undefined) throw new Error('none');
    expect(gitHubApp.compare(older, newer, 'capabilities.x')).toEqual([]);
  });
});

it('everything that the installation has is a finding, even where it is meant', () => {
  const all = { ...APP, installation_id: 1, repositories: 'all', permissions: 'all', rules: [good] };
  const found = codesOf(all).filter((line) => line.includes('broad'));
  expect(found.toSorted()).toEqual(['warning broad permissions', 'warning broad repositories']);
});

it('tells approvers the app, and each repository with its permissions', () => {
  const config = configOf({});
  expect(gitHubApp.target(config)).toBe('app 123 at https://api.github.com, installation of acme/web-app');
  expect(gitHubApp.reach(config)).toEqual([
    'contents:read, checks:write on acme/web-app',
    'contents:read, checks:write on acme/docs',
  ]);
  expect(gitHubApp.scopeWords(config)).toEqual([
    'contents:read',
    'checks:write',
    'acme/web-app',
    'acme/docs',
  ]);
});

describe('variables by default', () => {
  it.each([
    [undefined, ['GITHUB_TOKEN', 'GH_TOKEN']],
    ['https://api.acme.ghe.com', ['GITHUB_TOKEN', 'GH_TOKEN', 'GH_HOST', 'GITHUB_API_URL']],
    [
      'https://ghe.example.com/api/v3',
      ['GH_ENTERPRISE_TOKEN', 'GITHUB_ENTERPRISE_TOKEN', 'GH_HOST', 'GITHUB_API_URL'],
    ],
  ])('%s', (api_url, names) => {
    const inject = gitHubApp.defaultInject(api_url === undefined ? {} : { api_url });
    expect(Object.keys(inject)).toEqual(names);
  });
});

it('takes as many repositories as GitHub does', () => {
  const faults = (count: number) => {
    const repositories = Array.from({ length: count }, (_, index) => `acme/r${index}`);
    const bytes = Buffer.from(JSON.stringify({ version: 1, capabilities: { x: { ...APP, repositories } } }));
    return analyseMap(bytes, { path: '/m/capabilities.yaml', dir: '/m', sha256: '0' }).faults;
  };
  expect(faults(500)).toEqual([]);
  expect(faults(501).map(({ message }) => message)).toEqual([
    '"repositories" has more than the 500 names that GitHub takes for one token',
  ]);
});
