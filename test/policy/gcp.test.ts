/** What reviewers, approvers and checks see of a `gcp` capability. */
import { expect, it } from 'vitest';
import { compareMaps } from '../../src/policy/diff/compare-maps.ts';
import { analyseMap } from '../../src/policy/parse.ts';
import { type GcpConfig, gcp } from '../../src/policy/providers/gcp.ts';
import { mapFrom } from './map-from.ts';

type Raw = Readonly<Record<string, unknown>>;

const RULE = {
  resource: '//storage.googleapis.com/projects/_/buckets/acme-previews',
  permissions: ['inRole:roles/storage.objectUser'],
};
const BASE = {
  provider: 'gcp',
  audience:
    '//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci-pool/providers/github',
  service_account: 'previews@acme-web.iam.gserviceaccount.com',
  scope: ['https://www.googleapis.com/auth/devstorage.read_write'],
  boundary: [RULE],
  source: { type: 'github-actions' },
  home: 'private',
  rules: [{ allow: { repo: 'acme/web-app' } }],
};
const textOf = (capability: Raw) => JSON.stringify({ version: 1, capabilities: { x: capability } });
const mapOf = (changes: Raw) => mapFrom(textOf({ ...BASE, ...changes }));

function configOf(changes: Raw): GcpConfig {
  const config = mapOf(changes).capabilities.get('x')?.config;
  if (config?.provider !== 'gcp') throw new Error('another provider');
  return config;
}

const narrower = {
  ...RULE,
  condition: "resource.name.startsWith('projects/_/buckets/acme-previews/objects/a')",
};
const other = { ...RULE, resource: RULE.resource.replace('previews', 'assets') };

it.each<[string, Raw, readonly string[], readonly string[]]>([
  [
    'audience',
    { audience: BASE.audience.replace('github', 'gitlab') },
    ['widening audience'],
    ['widening audience'],
  ],
  [
    'service_account',
    { service_account: 'admin@acme-web.iam.gserviceaccount.com' },
    ['widening service_account'],
    ['widening service_account'],
  ],
  ['delegates', { delegates: [BASE.service_account] }, ['widening delegates'], ['widening delegates']],
  [
    'a scope',
    { scope: [...BASE.scope, 'https://mail.google.com/'] },
    ['widening scope_added'],
    ['narrowing scope_removed'],
  ],
  ['a bucket', { boundary: [RULE, other] }, ['widening scope_added'], ['narrowing scope_removed']],
  [
    'a condition',
    { boundary: [narrower] },
    ['widening scope_added', 'narrowing scope_removed'],
    ['widening scope_added', 'narrowing scope_removed'],
  ],
  ['no boundary', { boundary: undefined }, ['widening boundary'], ['narrowing boundary']],
  ['the same buckets', { boundary: [{ ...RULE }] }, [], []],
  ['project', { project: 'acme-web' }, ['widening project'], ['widening project']],
  ['quota_project', { quota_project: 'acme-web' }, ['widening quota_project'], ['widening quota_project']],
  ['source', { source: { type: 'token-env', variable: 'T' } }, ['widening source'], ['widening source']],
  [
    'sts_endpoint',
    { sts_endpoint: 'https://s.example' },
    ['widening sts_endpoint'],
    ['widening sts_endpoint'],
  ],
  [
    'iam_endpoint',
    { iam_endpoint: 'https://i.example' },
    ['widening iam_endpoint'],
    ['widening iam_endpoint'],
  ],
  ['ca_file', { ca_file: 'ca.pem' }, ['widening ca_file'], ['widening ca_file']],
  ['delivery', { delivery: 'both' }, ['widening delivery'], ['widening delivery']],
])('another %s is a difference', (_, changes, forth, back) => {
  const told = (before: Raw, after: Raw) =>
    compareMaps(mapOf(before), mapOf(after)).map(({ kind, code }) => `${kind} ${code}`);
  expect(told({}, changes)).toEqual(forth);
  expect(told(changes, {})).toEqual(back);
});

it('shows every field, escaped', () => {
  const config = configOf({
    delegates: ['deployer@acme-web.iam.gserviceaccount.com'],
    boundary: [narrower],
    project: 'acme-web',
    quota_project: 'acme-quota',
    sts_endpoint: 'https://s.example',
    iam_endpoint: 'https://i.example',
    ca_file: '/my ca.pem',
    delivery: 'both',
  });
  expect(gcp.summaryRows(config)).toEqual([
    ['audience', BASE.audience],
    ['service account', BASE.service_account],
    ['delegates', 'deployer@acme-web.iam.gserviceaccount.com'],
    ['scope', 'https://www.googleapis.com/auth/devstorage.read_write'],
    ['boundary', `"roles/storage.objectUser on bucket acme-previews if ${narrower.condition}"`],
    ['project', 'acme-web'],
    ['quota project', 'acme-quota'],
    ['source', 'github-actions'],
    ['sts endpoint', 'https://s.example'],
    ['iam endpoint', 'https://i.example'],
    ['ca file', '"/my ca.pem"'],
    ['delivery', 'both'],
  ]);
});

it('tells approvers who the token speaks as, and all that it reaches', () => {
  const config = configOf({ boundary: [narrower] });
  expect(gcp.target(config)).toBe(`${BASE.service_account} through ${BASE.audience}`);
  expect(gcp.reach(config)).toEqual([
    BASE.scope[0],
    `only roles/storage.objectUser on bucket acme-previews if ${narrower.condition}`,
  ]);
  expect(gcp.scopeWords(config)).toEqual(['devstorage.read_write', 'inRole:roles/storage.objectUser']);
  expect(gcp.target(configOf({ service_account: undefined, boundary: undefined }))).toBe(BASE.audience);
});

it('finds a token for everything worth a second look', () => {
  const scope = ['https://www.googleapis.com/auth/cloud-platform'];
  const codes = (changes: Raw) =>
    [...(gcp.lint?.(configOf(changes), 'x') ?? [])].map(({ code, at }) => [code, at]);
  expect(codes({ scope, boundary: undefined })).toEqual([['broad', 'capabilities.x.scope[0]']]);
  expect(codes({ scope })).toEqual([]);
  expect(codes({ boundary: undefined })).toEqual([]);
});

it('refuses a boundary that is more than Google takes, before it is sent', () => {
  const condition = `resource.name == '${'x'.repeat(1000)}'`;
  const faultsOf = (boundary: readonly Raw[]) =>
    analyseMap(Buffer.from(textOf({ ...BASE, boundary })), { path: '/m', dir: '/', sha256: '0' }).faults;
  expect(faultsOf([{ ...RULE, condition }])).toEqual([]);
  const [fault, ...more] = faultsOf([
    { ...RULE, condition },
    { ...other, condition },
  ]);
  expect(more).toEqual([]);
  expect(fault?.message).toMatch(/^"boundary" has 2\d\d\d characters as JSON; Google takes 2048$/);
  const many = faultsOf(Array.from({ length: 11 }, () => RULE));
  expect(many.map(({ message }) => message)).toContain('"boundary" must not have more than 10 entries');
});
