/** The metadata endpoint: what it answers, to whom, for how long, and that Google's own library takes its token from it. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LocalEndpoints } from '../../src/broker/provider.ts';
import { type ServedToken, serveMetadata } from '../../src/broker/providers/gcp/metadata-server.ts';
import { tempDir } from '../helpers/cli.ts';
import { findTool } from '../helpers/tools.ts';
import { ACCOUNT, STORAGE_SCOPE } from '../issuers/gcp/checks.ts';

const V1 = '/computeMetadata/v1';
const DEFAULT = `${V1}/instance/service-accounts/default`;
const FLAVOR = { 'metadata-flavor': 'Google' };

const SERVED: ServedToken = {
  token: 'ya29.token-of-the-lease',
  expiresAt: new Date(Date.now() + 600_000),
  skew: 0,
  account: ACCOUNT,
  scope: [STORAGE_SCOPE],
  project: 'acme-web',
};

let endpoints: LocalEndpoints;
let clock: Date;

async function start(changes: Partial<ServedToken> = {}, deadline = 300): Promise<void> {
  await endpoints?.close();
  clock = new Date();
  endpoints = await serveMetadata(
    { ...SERVED, ...changes },
    { deadline: new Date(clock.getTime() + deadline * 1000), now: () => clock, registerSecret: () => {} },
  );
}

beforeEach(() => start());
afterEach(() => endpoints.close());

interface Answer {
  readonly status: number;
  readonly flavor: unknown;
  readonly body: string;
}

function ask(
  path: string,
  headers: Readonly<Record<string, string>> = FLAVOR,
  method = 'GET',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const url = `http://${endpoints.variables['GCE_METADATA_HOST']}${path}`;
    const outgoing = request(url, { method, headers }, async (incoming) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const flavor = incoming.headers['metadata-flavor'];
      resolve({ status: incoming.statusCode ?? 0, flavor, body: Buffer.concat(chunks).toString() });
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

describe('answers', () => {
  it.each([
    ['/', 'computeMetadata/\n'],
    [`${V1}/`, 'instance/\nproject/\nuniverse/\n'],
    [`${V1}/instance`, 'service-accounts/\n'],
    [`${V1}/instance/service-accounts/`, `default/\n${ACCOUNT}/\n`],
    [`${V1}/project/project-id`, 'acme-web'],
    [`${V1}/universe/universe-domain`, 'googleapis.com'],
    [`${DEFAULT}/email`, ACCOUNT],
    [`${DEFAULT}/scopes`, `${STORAGE_SCOPE}\n`],
    [`${DEFAULT}/aliases`, 'default\n'],
    [
      `${DEFAULT}/?recursive=true`,
      JSON.stringify({ aliases: ['default'], email: ACCOUNT, scopes: [STORAGE_SCOPE] }),
    ],
  ])('%s', async (path, body) => {
    expect(await ask(path)).toEqual({ status: 200, flavor: 'Google', body });
  });

  it.each([`${DEFAULT}/token`, `${V1}/instance/service-accounts/${ACCOUNT}/token?scopes=a,b`])(
    '%s',
    async (path) => {
      const { status, flavor, body } = await ask(path);
      expect([status, flavor]).toEqual([200, 'Google']);
      expect(JSON.parse(body)).toEqual({ access_token: SERVED.token, expires_in: 300, token_type: 'Bearer' });
    },
  );

  it('of an identity of the pool name no account and no project', async () => {
    await start({ account: null, project: null });
    expect((await ask(`${DEFAULT}/email`)).body).toBe('default');
    expect((await ask(`${V1}/instance/service-accounts/`)).body).toBe('default/\n');
    expect((await ask(`${V1}/project/project-id`)).status).toBe(404);
  });
});

describe('refusals', () => {
  it.each<[string, string, Record<string, string>, string, number]>([
    ['without the flavour', `${DEFAULT}/token`, {}, 'GET', 403],
    ['of another flavour', `${DEFAULT}/token`, { 'metadata-flavor': 'google' }, 'GET', 403],
    ['through a proxy', `${DEFAULT}/token`, { ...FLAVOR, 'x-forwarded-for': '127.0.0.1' }, 'GET', 403],
    [
      'for a name that a browser resolved to here',
      `${DEFAULT}/token`,
      { ...FLAVOR, host: 'evil.example' },
      'GET',
      421,
    ],
    ['by POST', `${DEFAULT}/token`, FLAVOR, 'POST', 405],
    ['by the preflight of a page', `${DEFAULT}/token`, FLAVOR, 'OPTIONS', 405],
    [
      'for another account',
      `${V1}/instance/service-accounts/admin@acme-web.iam.gserviceaccount.com/token`,
      FLAVOR,
      'GET',
      404,
    ],
    ['for an ID token', `${DEFAULT}/identity?audience=x`, FLAVOR, 'GET', 404],
    ['for what there is not', `${V1}/instance/attributes/ssh-keys`, FLAVOR, 'GET', 404],
    ['for names of JavaScript', `${V1}/instance/constructor`, FLAVOR, 'GET', 404],
  ])('%s', async (_, path, headers, method, status) => {
    const answer = await ask(path, headers, method);
    expect(answer.status).toBe(status);
    expect(answer.body).not.toContain(SERVED.token);
  });

  describe.skipIf(process.getuid?.() !== 0 || process.platform !== 'linux')(
    'to a process of another user (needs root on Linux)',
    () => {
      const statusFor = (uid: number, options = {}) => {
        const [host = '', port = ''] = (endpoints.variables['GCE_METADATA_HOST'] ?? '').split(':');
        const headers = { ...FLAVOR, host: `${host}:${port}` };
        const asked = JSON.stringify({ host, port, path: `${DEFAULT}/token`, headers, ...options });
        const script = `require('http').get(${asked}, (r) => { process.stdout.write(String(r.statusCode)); r.resume(); })`;
        return run(process.execPath, ['-e', script], { uid, cwd: '/' });
      };

      it('whatever it asks', async () => {
        expect(await statusFor(65_534)).toBe('403');
        expect(await statusFor(0)).toBe('200');
      });

      it('also with the port of a connection of this user', async () => {
        const [host = '', port = ''] = (endpoints.variables['GCE_METADATA_HOST'] ?? '').split(':');
        const mine = connect(Number(port), host);
        await new Promise((resolve) => mine.once('connect', resolve));
        expect(await statusFor(65_534, { localAddress: '127.0.0.2', localPort: mine.localPort })).toBe('403');
        mine.destroy();
      });
    },
  );

  it('over a socket for both IP versions, of this user, is none', async () => {
    const [host = '', port = ''] = (endpoints.variables['GCE_METADATA_HOST'] ?? '').split(':');
    const answer = await new Promise<number>((resolve, reject) => {
      const options = {
        host: `::ffff:${host}`,
        port,
        path: '/',
        headers: { ...FLAVOR, host: `${host}:${port}` },
      };
      request(options, (incoming) => resolve(incoming.resume().statusCode ?? 0))
        .on('error', reject)
        .end();
    });
    expect(answer).toBe(200);
  });
});

describe('the end', () => {
  it.each([
    ['at the deadline', 600, 0, 300],
    ['at the expiry, where that is earlier', 60, 0, 60],
    ["by the issuer's clock", 60, 30, 90],
  ])('%s', async (_, life, skew, seconds) => {
    await start({ expiresAt: new Date(Date.now() + life * 1000), skew });
    const left = async () => JSON.parse((await ask(`${DEFAULT}/token`)).body).expires_in as number;
    expect(Math.abs((await left()) - seconds)).toBeLessThan(2);
    clock = new Date(clock.getTime() + (seconds - 5) * 1000);
    expect(await left()).toBeLessThanOrEqual(5);
    clock = new Date(clock.getTime() + 6000);
    expect(await ask(`${DEFAULT}/token`)).toEqual({
      status: 403,
      flavor: 'Google',
      body: 'the lease is over\n',
    });
  });

  it('is when the child is gone', async () => {
    await endpoints.close();
    await endpoints.close();
    await expect(ask('/')).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe('libraries', () => {
  it('need the variables that point at it, and not those that forbid to look', () => {
    const { variables, withoutIsolation, kind } = endpoints;
    expect(kind).toBe('metadata_endpoint');
    expect(variables['GCE_METADATA_IP']).toBe(variables['GCE_METADATA_HOST']);
    expect(variables['GCE_METADATA_ROOT']).toBe(variables['GCE_METADATA_HOST']);
    expect(variables['METADATA_SERVER_DETECTION']).toBe('assume-present');
    expect(withoutIsolation).toEqual(['GOOGLE_APPLICATION_CREDENTIALS', 'NO_GCE_CHECK']);
  });

  it('for Node are followed step by step', async () => {
    // gcp-metadata 6 and google-auth-library 9: isAvailable, getProjectId, getUniverseDomain, refreshTokenNoCache.
    const host = endpoints.variables['GCE_METADATA_IP'];
    const get = async (path: string) => {
      const answer = await ask(`${V1}/${path}`, FLAVOR);
      if (answer.flavor !== 'Google') throw new Error('Invalid response from metadata service');
      return answer.body;
    };
    expect(host).toMatch(/^127\.0\.0\.1:\d+$/);
    await get('instance');
    expect(await get('project/project-id')).toBe('acme-web');
    expect(await get('universe/universe-domain')).toBe('googleapis.com');
    const { expires_in, ...token } = JSON.parse(
      await get('instance/service-accounts/default/token?scopes=x'),
    );
    expect(token).toEqual({ access_token: SERVED.token, token_type: 'Bearer' });
    expect(Number.isInteger(expires_in)).toBe(true);
  });

  const auth = googleAuth();
  it.skipIf(auth === null)(
    `for Python find it by themselves${auth === null ? ' (skipped: needs google-auth, as in the Google Cloud SDK)' : ''}`,
    async () => {
      const script = [
        'import google.auth, google.auth.transport.requests as transport, json',
        "credentials, project = google.auth.default(scopes=['https://www.googleapis.com/auth/cloud-platform'])",
        'credentials.refresh(transport.Request())',
        'print(json.dumps([project, credentials.token, credentials.service_account_email, credentials.universe_domain]))',
      ];
      const home = tempDir();
      const env = { ...endpoints.variables, ...auth?.env, HOME: home, CLOUDSDK_CONFIG: home };
      const printed = await run(auth?.python ?? '', ['-c', script.join('\n')], { env });
      expect(JSON.parse(printed)).toEqual(['acme-web', SERVED.token, ACCOUNT, 'googleapis.com']);
    },
    20_000,
  );
});

/** Google's library for Python where it is installed, or as the Google Cloud SDK brings it along. */
function googleAuth(): { readonly python: string; readonly env: Readonly<Record<string, string>> } | null {
  const python = findTool('python3');
  if (python === null) return null;
  for (const path of [
    '',
    '/usr/lib/google-cloud-sdk/lib/third_party',
    '/opt/google-cloud-sdk/lib/third_party',
  ]) {
    const env = { PATH: process.env['PATH'] ?? '', ...(path !== '' && { PYTHONPATH: path }) };
    if (path !== '' && !existsSync(path)) continue;
    try {
      execFileSync(python, ['-c', 'import google.auth.transport.requests'], { env, stdio: 'ignore' });
      return { python, env };
    } catch {
      // not there
    }
  }
  return null;
}

/** Its standard output. Not synchronous: this process is the server. */
async function run(
  file: string,
  args: readonly string[],
  options: { readonly uid?: number; readonly cwd?: string; readonly env?: Readonly<Record<string, string>> },
): Promise<string> {
  const { execFile } = await import('node:child_process');
  return new Promise((resolve, reject) => {
    execFile(file, args, options, (error, stdout, stderr) =>
      error ? reject(new Error(stderr)) : resolve(stdout),
    );
  });
}
