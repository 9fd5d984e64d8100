import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { doctor } from '../../src/commands/doctor.ts';
import type { Check } from '../../src/commands/doctor-check.ts';
import { tempDir } from '../helpers/cli.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { ambientOf } from '../policy/ambient.ts';
import { fakeGitDir, UID } from '../request/git-fixture.ts';
import { pinMap } from '../trust/pin-map.ts';
import { keptContext } from './command-context.ts';

const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

interface World {
  readonly cwd: string;
  readonly state: string;
  readonly env: Record<string, string>;
}

function world(): World {
  const cwd = tempDir();
  const state = join(cwd, 'state');
  return { cwd, state, env: { HOME: cwd, CAPWRAP_HOME: state } };
}

function awsMap(endpoint: string, source = '{type: profile, profile: base, long_lived: allow}'): string {
  return `version: 1
capabilities:
  publish:
    provider: aws-sts
    role_arn: arn:aws:iam::123456789012:role/preview-deployer
    region: us-east-1
    endpoint: ${endpoint}
    source: ${source}
    scope: [{actions: [s3:PutObject], resources: ['arn:aws:s3:::acme-previews/*']}]
    ttl: 15m
    rules: [{allow: {environment: preview}, approval: prompt}]
`;
}

const LOCAL_MAP = `version: 1
capabilities:
  read-artifacts:
    provider: local-issuer
    audience: https://artifacts.example.com
    scope: [artifacts:read]
    ttl: 15m
    rules: [{allow: {environment: preview}}]
`;

function putMap({ cwd }: World, text: string): void {
  writeFileSync(join(cwd, 'capabilities.yaml'), text, { mode: 0o644 });
}

async function trustMap({ cwd, state, env }: World): Promise<void> {
  await pinMap(ambientOf({ cwd, env }), state);
}

async function diagnose({ cwd, env }: World, options = {}) {
  const kept = keptContext(ambientOf({ cwd, env }), { json: true });
  const status = await doctor(kept.context, options);
  const report = JSON.parse(kept.text()) as { problems: number; warnings: number; checks: Check[] };
  expect(status).toBe(report.problems === 0 ? 0 : 1);
  expect(report.problems).toBe(report.checks.filter((each) => each.status === 'problem').length);
  return { text: kept.text(), of: (name: string) => report.checks.find((each) => each.name === name) };
}

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A host whose clock is `behind` seconds late. */
async function host(behind = 0): Promise<{ url: string; name: string; asked: () => number }> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked++;
    expect(request.headers['authorization']).toBeUndefined();
    response.setHeader('date', new Date(Date.now() - behind * 1000).toUTCString());
    response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, name: `endpoint 127.0.0.1:${port}`, asked: () => asked };
}

function putKeys({ cwd }: World, keyId = 'AKIAIOSFODNN7EXAMPLE'): void {
  mkdirSync(join(cwd, '.aws'), { mode: 0o700 });
  const text = `[base]\naws_access_key_id = ${keyId}\naws_secret_access_key = ${SECRET}\n`;
  writeFileSync(join(cwd, '.aws/credentials'), text, { mode: 0o600 });
}

describe('the machine', () => {
  it('is told apart into what works and what does not', async () => {
    const here = world();
    putMap(here, LOCAL_MAP);
    const report = await diagnose(here);
    expect(report.of('node')).toMatchObject({
      status: 'ok',
      detail: `${process.version} on ${process.platform}`,
    });
    expect(report.of('admin_config')?.status).toBe('ok');
    expect(report.of('state')).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('is made at the first run'),
    });
    expect(report.of('audit')).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('no record yet'),
    });
    expect(report.of('map')).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('read-artifacts'),
    });
    expect(report.of('trust')).toEqual({
      name: 'trust',
      status: 'problem',
      detail: 'nobody has trusted it here',
      fix: `capwrap trust ${join(here.cwd, 'capabilities.yaml')}`,
    });
    expect(report.of('issuer')).toMatchObject({ status: 'problem', fix: 'capwrap issuer init' });
    expect(report.of('user')?.status).toBe(UID === 0 ? 'warning' : 'ok');
    expect(() => rmSync(here.state)).toThrow('ENOENT');
  });

  it('shows the state directory that cannot be used', async () => {
    const here = world();
    symlinkSync(tempDir(), here.state);
    expect((await diagnose(here)).of('state')).toMatchObject({ status: 'problem' });
    rmSync(here.state);
    mkdirSync(here.state, { mode: 0o700 });
    chmodSync(here.state, 0o755);
    expect((await diagnose(here)).of('state')).toMatchObject({
      status: 'warning',
      fix: `chmod 700 ${here.state}`,
    });
    expect(
      (await diagnose({ ...here, env: { ...here.env, CAPWRAP_HOME: 'here' } })).of('state'),
    ).toMatchObject({
      status: 'problem',
      detail: '"CAPWRAP_HOME" must be an absolute path',
    });
  });

  it('says what is wrong with the map and goes on', async () => {
    const here = world();
    expect((await diagnose(here, { file: 'nowhere.yaml' })).of('map')).toMatchObject({ status: 'problem' });
    putMap(here, 'version: 1\ncapabilities: {x: {}}\n');
    const report = await diagnose(here);
    expect(report.of('map')).toMatchObject({ status: 'problem', fix: 'capwrap check' });
    expect(report.of('node')?.status).toBe('ok');
  });
});

describe('a request', () => {
  it('shows the facts with their sources', async () => {
    const here = world();
    fakeGitDir(join(here.cwd, '.git'), {
      config: '[remote "origin"]\nurl = https://u:hunter2hunter2@h.example/acme/app\n',
    });
    const report = await diagnose({ ...here, env: { ...here.env, CLAUDECODE: '1', CI: 'true' } });
    expect(report.of('git.repo')).toMatchObject({
      status: 'ok',
      detail: 'acme/app (observed: remote "origin" in .git/config (h.example))',
    });
    expect(report.of('git.branch')?.detail).toBe('main (observed: .git/HEAD)');
    expect(report.of('git.commit')).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('no commit yet'),
    });
    expect(report.of('actor')?.detail).toMatch(
      /^claude-code \(claimed: variables of Claude Code\), running as /,
    );
    expect(report.of('ci')?.detail).toBe('a CI (CI): its variables are claims');
    expectNowhere(['hunter2hunter2'], { texts: [report.text] });
  });

  it('outside of git is no fault', async () => {
    expect((await diagnose(world())).of('git.repo')?.status).toBe('skipped');
  });

  it('that nobody can read is a problem of its own', async () => {
    const here = world();
    const report = await diagnose({ ...here, env: { ...here.env, CAPWRAP_ACTOR: 'a\nb' } });
    expect(report.of('facts')).toMatchObject({
      status: 'problem',
      detail: '"CAPWRAP_ACTOR" contains control characters',
    });
  });
});

describe('sources and hosts', () => {
  it('warns of a key that every process of the user can use, and never shows it', async () => {
    const here = world();
    putMap(here, awsMap((await host()).url));
    putKeys(here);
    const report = await diagnose(here, { offline: true });
    expect(report.of('source profile:base')).toMatchObject({
      status: 'warning',
      detail: 'a long-lived access key in a file: any process of this user can use it directly',
    });
    expectNowhere([SECRET], { texts: [report.text] });
  });

  it('shows why a source cannot be used', async () => {
    const here = world();
    putMap(here, awsMap((await host()).url, '{type: profile, profile: base}'));
    expect((await diagnose(here)).of('source profile:base')).toMatchObject({ status: 'problem' });
    putKeys(here);
    const report = await diagnose(here);
    expect(report.of('source profile:base')).toMatchObject({
      status: 'problem',
      detail: 'source "profile:base" is a long-lived access key',
    });
    expectNowhere([SECRET], { texts: [report.text] });
  });

  it.each([
    ['{type: sso, profile: dev}', 'source sso:dev', 'problem', /^profile "dev" is not in /],
    [
      '{type: instance}',
      'source instance',
      'warning',
      /^a service beside this machine has the keys of a role/,
    ],
    [
      '{type: container}',
      'source container',
      'warning',
      /^a service beside this machine has the keys of a role/,
    ],
  ])('asks nobody for the keys of %s', async (source, name, status, detail) => {
    const here = world();
    const one = await host();
    putMap(here, awsMap(one.url, source));
    const report = await diagnose(here, { offline: true });
    expect(report.of(name)).toMatchObject({ status, detail: expect.stringMatching(detail) });
    expect(one.asked()).toBe(0);
  });

  it('asks the hosts of a trusted map, and compares clocks', async () => {
    for (const [behind, status, detail] of [
      [0, 'ok', 'answers, and its clock agrees'],
      [120, 'warning', /^answers; the clock of this machine is 1(19|20) s ahead$/],
      [-120, 'warning', /^answers; the clock of this machine is 1(19|20) s behind$/],
    ] as const) {
      const here = world();
      const one = await host(behind);
      putMap(here, awsMap(one.url));
      await trustMap(here);
      expect((await diagnose(here)).of(one.name)).toMatchObject({
        status,
        detail: typeof detail === 'string' ? detail : expect.stringMatching(detail),
      });
      expect(one.asked()).toBe(1);
    }
  });

  it('asks none for a map that is not trusted, nor with --offline', async () => {
    const here = world();
    const one = await host();
    putMap(here, awsMap(one.url));
    expect((await diagnose(here)).of(one.name)).toMatchObject({
      status: 'skipped',
      detail: 'not asked: the map is not trusted',
    });
    await trustMap(here);
    expect((await diagnose(here, { offline: true })).of(one.name)?.detail).toBe('not asked: --offline');
    expect(one.asked()).toBe(0);
  });

  it('shows a host that does not answer', async () => {
    const here = world();
    putMap(here, awsMap('http://127.0.0.1:1'));
    await trustMap(here);
    expect((await diagnose(here)).of('endpoint 127.0.0.1:1')).toMatchObject({
      status: 'problem',
      detail: '"127.0.0.1:1" refuses connections',
    });
  });
});

it('prints lines for people, with nothing that could forge one', async () => {
  const here = world();
  fakeGitDir(join(here.cwd, '.git'), { config: '[remote "origin"]\nurl = "https://h/a/b%E2%80%AEc"\n' });
  putMap(here, LOCAL_MAP);
  const kept = keptContext(ambientOf(here));
  expect(await doctor(kept.context, { offline: true })).toBe(1);
  expect(kept.text()).toMatch(/^ok {7}node +v\d+/);
  expect(kept.text()).toMatch(/\n +fix: capwrap issuer init\n/);
  expect(kept.text()).toContain('a/b\\u{202e}c');
  expect(kept.text()).toMatch(/\n\n\d+ problems?, \d+ warnings?\n$/);
});
