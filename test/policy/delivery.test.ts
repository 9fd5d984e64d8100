/** `files` of a capability: what the map may say, and what reviewers see of it. */
import { describe, expect, it } from 'vitest';
import { compareMaps } from '../../src/policy/diff/compare-maps.ts';
import { summariseMap } from '../../src/policy/map-summary.ts';
import { analyseMap } from '../../src/policy/parse.ts';
import { capabilityFrom, mapFrom } from './map-from.ts';

const LOCAL = { provider: 'local-issuer', audience: 'a', scope: ['x'], rules: [{ allow: { repo: 'a/b' } }] };
const AWS = {
  provider: 'aws-sts',
  role_arn: 'arn:aws:iam::123456789012:role/a',
  region: 'eu-central-1',
  source: { type: 'env' },
  scope: [{ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::b/x/*'] }],
  rules: LOCAL.rules,
};

const mapOf = (raw: object) => JSON.stringify({ version: 1, capabilities: { x: raw } });

function faultsOf(raw: object): string[] {
  const origin = { path: '/repo/capabilities.yaml', dir: '/repo', sha256: '0' };
  return analyseMap(Buffer.from(mapOf(raw)), origin).faults.map(
    ({ code, at, message }) => `${code} ${at}: ${message}`,
  );
}

describe('the validated form', () => {
  it.each([
    ['neither', {}, { CAPWRAP_TOKEN: 'token' }, {}],
    ['files alone, which leaves out the default of inject', { files: { F: 'token' } }, {}, { F: 'token' }],
    [
      'both',
      { inject: { ID: 'jti' }, files: { F: 'token', G: 'expires_at' } },
      { ID: 'jti' },
      { F: 'token', G: 'expires_at' },
    ],
    ['our own name for a token', { files: { CAPWRAP_TOKEN: 'token' } }, {}, { CAPWRAP_TOKEN: 'token' }],
  ])('%s', (_, fields, inject, files) => {
    expect(capabilityFrom({ ...LOCAL, ...fields })).toMatchObject({ inject, files });
    const capability = capabilityFrom({ ...LOCAL, ...fields });
    expect([capability.inject, capability.files]).toEqual([inject, files]);
  });

  it('frees the standard names of a provider where files alone are named, but for a second credential', () => {
    const files = { KEY_FILE: 'secret_access_key' };
    const env = { set: { AWS_REGION: 'eu-west-1' } };
    expect(faultsOf({ ...AWS, env })).toHaveLength(1);
    expect(faultsOf({ ...AWS, files, env })).toEqual([]);
    expect(faultsOf({ ...AWS, files, env: { set: { AWS_SESSION_TOKEN: '' } } })).toEqual([
      'name_clash capabilities.x.env.set.AWS_SESSION_TOKEN: "AWS_SESSION_TOKEN" would be a second credential beside the lease',
    ]);
  });
});

describe('faults', () => {
  const at = 'capabilities.x.files';
  it.each([
    ['a value that the lease lacks', { F: 'tokn' }, [`wrong_value ${at}.F`]],
    ['a value of another provider', { F: 'session_token' }, [`wrong_value ${at}.F`]],
    ['a name that is none', { 'a b': 'token' }, [`wrong_value ${at}["a b"]`]],
    ['a list', ['token'], [`wrong_type ${at}`]],
    ['a name of ours', { CAPWRAP_LEASE_ID: 'token' }, [`name_clash ${at}.CAPWRAP_LEASE_ID`]],
    ['a name of the isolation', { AWS_CONFIG_FILE: 'token' }, [`name_clash ${at}.AWS_CONFIG_FILE`]],
    ['a name that every child has', { PATH: 'token' }, [`name_clash ${at}.PATH`]],
    ['a name that loads code', { LD_PRELOAD: 'token' }, [`name_sensitive ${at}.LD_PRELOAD`]],
    ['a name that inject fills', { I: 'token' }, [`name_clash ${at}.I`]],
    ['a name that is set', { S: 'token' }, ['name_clash capabilities.x.env.set.S']],
    ['a name that is passed', { P: 'token' }, ['name_clash capabilities.x.env.pass[0]']],
    [
      'a faulty entry, which hides no other one',
      { F: 3, PATH: 'token', S: 'token' },
      [`wrong_value ${at}.F`, `name_clash ${at}.PATH`, 'name_clash capabilities.x.env.set.S'],
    ],
  ])('%s', (_, files, expected) => {
    const raw = { ...LOCAL, inject: { I: 'token' }, files, env: { pass: ['P'], set: { S: '1' } } };
    expect(
      faultsOf(raw)
        .map((fault) => fault.split(': ')[0])
        .toSorted(),
    ).toEqual(expected.toSorted());
  });
});

it('is shown for trust', () => {
  const map = mapFrom(mapOf({ ...LOCAL, inject: { I: 'jti' }, files: { A: 'token', B: 'jti' } }));
  const lines = summariseMap(map).filter((line) => /inject|file/.test(line));
  expect(lines).toEqual(['  env injected    I=jti', '  env file path   A=token', '  env file path   B=jti']);
});

describe('differences', () => {
  const one = { ...LOCAL, inject: { I: 'jti' } };
  const at = 'capabilities.x.files';
  it.each([
    ['added', {}, { F: 'token' }, [`widening files ${at}.F`]],
    ['changed', { F: 'jti' }, { F: 'token' }, [`widening files ${at}.F`]],
    ['gone', { F: 'jti' }, {}, [`widening files ${at}`]],
    ['the same in another order', { F: 'jti', G: 'token' }, { G: 'token', F: 'jti' }, []],
  ])('%s', (_, before, after, expected) => {
    const [older, newer] = [before, after].map((files) => mapFrom(mapOf({ ...one, files })));
    if (older === undefined || newer === undefined) throw new Error('a map is missing');
    expect(compareMaps(older, newer).map((change) => `${change.kind} ${change.code} ${change.at}`)).toEqual(
      expected,
    );
  });
});
