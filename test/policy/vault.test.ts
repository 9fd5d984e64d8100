/** Provider `vault` in the map: the validated form, what reviewers and approvers see, and what a change of it means. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { STILL_TO_REMOVE } from '../../src/policy/finding.ts';
import { runChecks } from '../../src/policy/lint/check.ts';
import { GRANT_CHECKS } from '../../src/policy/lint/grant-checks.ts';
import { type VaultConfig, vault } from '../../src/policy/providers/vault.ts';
import { ROOT } from '../helpers/cli.ts';
import { capabilityFrom, DIR, mapFrom } from './map-from.ts';

const MAP = mapFrom(readFileSync(join(ROOT, 'test', 'cases', 'map', 'valid', 'vault.yaml'), 'utf8'));

const RAW = {
  provider: 'vault',
  address: 'https://vault.example.com',
  auth: { method: 'approle', role_id: 'r', secret_id_file: 'secret-id' },
  policies: ['a', 'b'],
  path: 'database/creds/readonly',
  parameters: { x: 'y' },
  inject: { PGPASSWORD: 'password' },
  rules: [{ allow: { repo: 'acme/x' } }],
};

function configOf(changes: object = {}): VaultConfig {
  return capabilityFrom({ ...RAW, ...changes }).config as VaultConfig;
}

function capability(name: string) {
  const found = MAP.capabilities.get(name);
  if (found === undefined) throw new Error(`no capability "${name}"`);
  return { map: MAP, capability: found, iam: null, config: found.config as VaultConfig };
}

test('the validated form has absolute paths and no slash at an end', () => {
  expect(capability('database').config).toMatchObject({
    address: 'https://vault.example.com:8200',
    namespace: 'admin/team-a',
    caFile: `${DIR}/vault-ca.pem`,
    auth: { mount: 'approle/ci', wrappedAt: 'auth/approle/ci/role/deployer/secret-id' },
    request: 'read',
    kv: false,
  });
  expect(capability('cluster').config.auth).toEqual({
    method: 'kubernetes',
    mount: 'kubernetes',
    role: 'deployer',
    source: {
      type: 'token-file',
      path: '/var/run/secrets/kubernetes.io/serviceaccount/token',
      audience: null,
    },
  });
});

test('approvers see where it goes and all that it may read', () => {
  const { config } = capability('cluster');
  expect(vault.target(config)).toBe('https://vault.example.com kubernetes/creds/deployer');
  expect(vault.reach(config)).toEqual([
    'write kubernetes/creds/deployer kubernetes_namespace=staging cluster_role_binding=false',
    'policies deployer',
  ]);
  expect(vault.reach(capability('static').config)).toContain('a secret that nothing ends');
  expect(vault.target(capability('database').config)).toContain(' admin/team-a ');
});

test.each([...MAP.capabilities.keys()])('the summary of %s shows every field', (name) => {
  const { config } = capability(name);
  const text = JSON.stringify(vault.summaryRows(config));
  const shown = (value: unknown): string[] => {
    if (value === null || typeof value === 'boolean') return [];
    if (typeof value === 'object') return Object.values(value).flatMap(shown);
    return [String(value)];
  };
  const { provider: _, ...fields } = config;
  for (const value of shown(fields)) expect(text).toContain(value);
});

test('check lists what nothing ends among what is still to be removed', () => {
  expect(runChecks(GRANT_CHECKS, capability('static')).map(({ code, at }) => [code, at])).toEqual([
    ['long_lived', 'capabilities.static.auth.long_lived'],
    ['kv', 'capabilities.static.kv'],
  ]);
  expect(STILL_TO_REMOVE).toContain('kv');
  expect(runChecks(GRANT_CHECKS, capability('database'))).toEqual([]);
});

describe('a change', () => {
  const TOKEN = { method: 'token', token_file: '/t' };
  test.each([
    ['nothing', {}, {}, []],
    ['a slash at the end', {}, { address: 'https://vault.example.com/' }, []],
    ['the address', {}, { address: 'https://other.example' }, ['widening c.address']],
    ['a namespace', {}, { namespace: 'team' }, ['widening c.namespace']],
    ['the path', {}, { path: 'database/creds/admin' }, ['widening c.path']],
    ['the request', {}, { request: 'write' }, ['widening c.request']],
    ['a parameter', {}, { parameters: { x: 'z' } }, ['widening c.parameters.x']],
    ['a policy more', {}, { policies: ['a', 'b', 'c'] }, ['widening c.policies']],
    ['a policy less', {}, { policies: ['a'] }, ['narrowing c.policies']],
    ['kv', {}, { kv: 'allow' }, ['widening c.kv']],
    ['no kv', { kv: 'allow' }, {}, ['narrowing c.kv']],
    ['the login', {}, { auth: TOKEN }, ['widening c.auth']],
    ['the secret id no longer wrapped', wrapped('auth/approle/role/x/secret-id'), {}, ['widening c.auth']],
    [
      'a token without an end',
      { auth: TOKEN },
      { auth: { ...TOKEN, long_lived: 'allow' } },
      ['widening c.auth.long_lived'],
    ],
    [
      'no token without an end',
      { auth: { ...TOKEN, long_lived: 'allow' } },
      { auth: TOKEN },
      ['narrowing c.auth.long_lived'],
    ],
  ])('of %s', (_, before, after, expected) => {
    const changes = vault.compare(configOf(before), configOf(after), 'c');
    expect(changes.map(({ kind, at }) => `${kind} ${at}`)).toEqual(expected);
  });

  function wrapped(path: string) {
    return { auth: { ...RAW.auth, wrapped_at: path } };
  }
});
