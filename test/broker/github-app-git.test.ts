/** What git in the child is told, and that the real git does it: the token to GitHub alone, from nowhere but the lease. */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { issueLease } from '../../src/broker/lease.ts';
import { gitEndpoints } from '../../src/broker/providers/github-app/git-settings.ts';
import { gitHubApp } from '../../src/broker/providers/github-app/index.ts';
import type { Capability } from '../../src/policy/capability.ts';
import { GIT_SETTINGS, GIT_VARIABLES, gitHubAddress } from '../../src/policy/providers/github-app/address.ts';
import { afterTest } from '../helpers/after-test.ts';
import { brokerContext } from '../helpers/aws.ts';
import { tempDir } from '../helpers/cli.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { findTool, needs } from '../helpers/tools.ts';
import { keyFile } from '../issuers/github-app/app.ts';
import { gitHubConfig, gitHubRequest } from '../issuers/github-app/fixture.ts';
import { REFS, startGitHub } from '../issuers/github-app/server.ts';

const NONE = { inject: {}, files: {} };
const settingsFor = (apiUrl: string, capability: Pick<Capability, 'inject' | 'files'> = NONE) =>
  gitEndpoints(capability, apiUrl, gitHubAddress(apiUrl))?.variables ?? null;

describe('what git is told', () => {
  test('for github.com', () => {
    expect(settingsFor('https://api.github.com')).toEqual({
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: '',
      GIT_CONFIG_COUNT: '7',
      GIT_CONFIG_KEY_0: 'credential.https://github.com.helper',
      GIT_CONFIG_VALUE_0: '',
      GIT_CONFIG_KEY_1: 'credential.https://github.com.helper',
      GIT_CONFIG_VALUE_1:
        '!f() { test "$1" = get || exit 0; printf \'username=x-access-token\\npassword=%s\\n\' "$GITHUB_TOKEN"; }; f',
      GIT_CONFIG_KEY_2: 'http.https://github.com/.extraHeader',
      GIT_CONFIG_VALUE_2: '',
      GIT_CONFIG_KEY_3: 'http.https://github.com/.cookieFile',
      GIT_CONFIG_VALUE_3: '',
      GIT_CONFIG_KEY_4: 'http.https://github.com/.emptyAuth',
      GIT_CONFIG_VALUE_4: 'true',
      GIT_CONFIG_KEY_5: 'url.https://github.com/.insteadOf',
      GIT_CONFIG_VALUE_5: 'git@github.com:',
      GIT_CONFIG_KEY_6: 'url.https://github.com/.insteadOf',
      GIT_CONFIG_VALUE_6: 'ssh://git@github.com/',
    });
  });

  test('every variable of it is one that a map can neither pass nor set', () => {
    const names = Object.keys(settingsFor('https://api.github.com') ?? {});
    expect(names.filter((name) => !GIT_VARIABLES.includes(name))).toEqual([]);
    expect(names.filter((name) => name.startsWith('GIT_CONFIG_KEY'))).toHaveLength(GIT_SETTINGS);
  });

  test.each<[string, string, Pick<Capability, 'inject' | 'files'>, string | null]>([
    ['a server of one’s own', 'https://ghe.example.com/api/v3', NONE, '"$GH_ENTERPRISE_TOKEN"'],
    ['data residency', 'https://api.acme.ghe.com', NONE, '"$GITHUB_TOKEN"'],
    [
      'a name of the map’s',
      'https://api.github.com',
      { inject: { A: 'host', B: 'token' }, files: {} },
      '"$B"',
    ],
    ['a file', 'https://api.github.com', { inject: {}, files: { F: 'token' } }, '"$(cat "$F")"'],
    ['no token at all', 'https://api.github.com', { inject: { A: 'host' }, files: {} }, null],
  ])('where the child has the token: %s', (_, apiUrl, capability, where) => {
    const variables = settingsFor(apiUrl, capability);
    if (where === null) expect(variables).toBeNull();
    else expect(variables?.['GIT_CONFIG_VALUE_1']).toContain(`\\n' ${where}; }; f`);
  });

  test.each([
    ['https://api.github.com', 'github.com', 'https://github.com', 'github.com'],
    ['https://api.acme.ghe.com', 'ghe.com', 'https://acme.ghe.com', 'acme.ghe.com'],
    ['https://ghe.example.com/api/v3', 'server', 'https://ghe.example.com', 'ghe.example.com'],
    ['https://ghe.example.com:8443/api/v3', 'server', 'https://ghe.example.com:8443', 'ghe.example.com:8443'],
    [
      'https://api.github.com.example.com',
      'server',
      'https://api.github.com.example.com',
      'api.github.com.example.com',
    ],
    ['https://evilghe.com', 'server', 'https://evilghe.com', 'evilghe.com'],
  ])('%s is %s', (apiUrl, kind, web, host) => {
    expect(gitHubAddress(apiUrl)).toEqual({ kind, web, host });
  });
});

const git = findTool('git');

describe.skipIf(git === null)(`git itself${needs('git')}`, () => {
  async function setUp(changes: Partial<Capability> = {}) {
    const server = await startGitHub();
    afterTest(() => server.stop());
    const folder = tempDir();
    const config = gitHubConfig({ apiUrl: server.apiUrl, privateKeyFile: keyFile(folder) });
    const context = brokerContext();
    const lease = await issueLease(gitHubApp, gitHubRequest(config, new Date(), changes), context);
    const { deadline } = gitHubRequest(config);
    const endpoints = await lease.endpoints?.({
      deadline,
      now: context.now,
      registerSecret: context.registerSecret,
    });
    expect(endpoints?.kind).toBe('git_credentials');
    // A home with everything that could take the lease's place, or keep it.
    const spy = join(folder, 'spy.sh');
    writeFileSync(
      spy,
      `#!/bin/sh\nenv > '${folder}/asked'; cat >> '${folder}/asked'\necho password=standing\n`,
    );
    chmodSync(spy, 0o755);
    writeFileSync(
      join(folder, '.gitconfig'),
      `[credential]\n\thelper = ${spy}\n[core]\n\taskPass = ${spy}\n[http "${server.url}/"]\n\textraHeader = Authorization: basic c3RhbmRpbmc=\n[http]\n\tcookieFile = ${folder}/cookies\n`,
    );
    writeFileSync(join(folder, 'cookies'), '127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\tstanding\n');
    writeFileSync(join(folder, '.netrc'), 'machine 127.0.0.1 login standing password standing\n', {
      mode: 0o600,
    });
    const tokenFile = join(folder, 'token-file');
    writeFileSync(tokenFile, server.lastToken(), { mode: 0o600 });
    const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
      new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
        execFile(
          git ?? '',
          args,
          {
            cwd: folder,
            env: {
              PATH: process.env['PATH'],
              HOME: folder,
              GIT_CONFIG_NOSYSTEM: '1',
              SSH_ASKPASS: spy,
              ...endpoints?.variables,
              GH_ENTERPRISE_TOKEN: server.lastToken(),
              ...env,
            },
          },
          (error, stdout, stderr) =>
            resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr }),
        );
      });
    return { server, folder, lease, context, run, tokenFile, asked: () => existsSync(join(folder, 'asked')) };
  }

  test('reads a repository of the lease; no standing credential is used or told', async () => {
    const { server, folder, run, asked } = await setUp();
    const result = await run(['ls-remote', `${server.url}/acme/web-app.git`, 'refs/heads/main']);
    expect(result.stderr).toBe('');
    expect(result).toMatchObject({ status: 0, stdout: REFS });
    expect(asked()).toBe(false);
    const requests = server.requests.filter(({ route }) => route === 'git');
    expect(requests[0]?.headers.authorization).toBeUndefined();
    expect(requests.map(({ headers }) => headers['cookie'])).toEqual(requests.map(() => undefined));
    const shown = requests.map(({ headers }) => headers.authorization?.replace('Basic ', '') ?? '');
    expect(new Set(shown.map((text) => Buffer.from(text, 'base64').toString()))).toEqual(
      new Set(['', ':', `x-access-token:${server.lastToken()}`]),
    );
    expectNowhere([server.lastToken()], {
      texts: [
        readFileSync(join(folder, '.gitconfig'), 'utf8'),
        ...requests.map(({ path, search }) => path + search),
      ],
    });
  });

  test('reads it by its address for SSH', async () => {
    const { server, run } = await setUp();
    for (const address of ['git@127.0.0.1:acme/web-app.git', 'ssh://git@127.0.0.1/acme/web-app.git']) {
      expect(await run(['ls-remote', address])).toMatchObject({
        status: 0,
        stdout: expect.stringContaining(REFS),
      });
    }
    expect(server.requests.some(({ route }) => route === 'git')).toBe(true);
  });

  test('does not reach another repository, and asks nobody', async () => {
    const { server, run, asked } = await setUp();
    const result = await run(['ls-remote', `${server.url}/acme/lab.git`]);
    expect(result.status).toBe(128);
    expect(result.stderr).toContain('not found');
    expect(asked()).toBe(false);
  });

  test('after the end it is refused, and asks nobody', async () => {
    const { server, lease, context, run, asked } = await setUp();
    await gitHubApp.end?.(lease, context);
    const result = await run(['ls-remote', `${server.url}/acme/web-app.git`]);
    expect(result.status).toBe(128);
    expect(result.stderr).toContain('Authentication failed');
    expect(result.stderr).not.toContain(server.lastToken());
    expect(asked()).toBe(false);
  });

  test('gives the token to no other host', async () => {
    const other = await startGitHub();
    afterTest(() => other.stop());
    const { server, run } = await setUp();
    const result = await run(['ls-remote', `${other.url}/acme/web-app.git`]);
    expect(result.status).toBe(128);
    const sent = other.requests.map(({ headers }) => headers.authorization ?? '').join('\n');
    expectNowhere([server.lastToken(), `x-access-token:${server.lastToken()}`], { texts: [sent] });
  });

  test('takes it from a file', async () => {
    const { server, run, tokenFile } = await setUp({ files: { TOKEN_FILE: 'token' } });
    const env = { TOKEN_FILE: tokenFile, GH_ENTERPRISE_TOKEN: 'none' };
    expect(await run(['ls-remote', `${server.url}/acme/web-app.git`], env)).toMatchObject({ status: 0 });
  });
});
