/** Where the private key comes from: a file that is nobody else's business, or a program. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readPrivateKey } from '../../src/broker/providers/github-app/private-key.ts';
import { brokerContext, errorOf } from '../helpers/aws.ts';
import { tempDir } from '../helpers/cli.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { APP_PEM, APP_PEM_PKCS8, keyFile } from '../issuers/github-app/app.ts';
import { gitHubConfig } from '../issuers/github-app/fixture.ts';

const rsa = (bits: number) =>
  generateKeyPairSync('rsa', { modulusLength: bits }).privateKey.export({
    type: 'pkcs1',
    format: 'pem',
  }) as string;

function script(body: string): { readonly argv: readonly string[]; readonly dir: string } {
  const dir = tempDir();
  const path = join(dir, 'print-key.sh');
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return { argv: [path], dir };
}

const fromFile = (path: string) => gitHubConfig({ privateKeyFile: path });
const fromProgram = (body: string) => gitHubConfig({ privateKeyCommand: script(body) });

describe('a file', () => {
  test.each([
    ['PKCS#1, as GitHub gives it', APP_PEM],
    ['PKCS#8', APP_PEM_PKCS8],
    ['with the line ends of another system', APP_PEM.replaceAll('\n', '\r\n')],
  ])('%s', async (_, pem) => {
    const path = keyFile(tempDir(), pem);
    const context = brokerContext();
    const { key, source } = await readPrivateKey(fromFile(path), context);
    expect(key.asymmetricKeyType).toBe('rsa');
    expect(source).toBe(`private_key_file:${path}`);
    expect(context.registered).toEqual([{ name: 'app_private_key', value: pem.trim() }]);
  });

  test.each<[string, () => string, string, RegExp, RegExp]>([
    [
      'none',
      () => join(tempDir(), 'none.pem'),
      'ERR_SOURCE_UNAVAILABLE',
      /does not exist$/,
      /private_key_file/,
    ],
    ['a folder', () => tempDir(), 'ERR_SOURCE_INVALID', /is not a regular file$/, /./],
    [
      'one that others can read',
      () => {
        const path = keyFile(tempDir());
        chmodSync(path, 0o644);
        return path;
      },
      'ERR_SOURCE_INVALID',
      /holds a secret and can be read by others$/,
      /^chmod 600 /,
    ],
    [
      'one that others can change',
      () => {
        const path = keyFile(tempDir());
        chmodSync(path, 0o620);
        return path;
      },
      'ERR_SOURCE_INVALID',
      /can be changed by others$/,
      /^chmod 600 /,
    ],
    [
      'one that is empty',
      () => keyFile(tempDir(), ''),
      'ERR_SOURCE_INVALID',
      /no private key in PEM$/,
      /download/,
    ],
    [
      'one of nonsense',
      () => keyFile(tempDir(), 'sesame'),
      'ERR_SOURCE_INVALID',
      /no private key in PEM$/,
      /download/,
    ],
    [
      'a short key',
      () => keyFile(tempDir(), rsa(1024)),
      'ERR_SOURCE_INVALID',
      /of 1024 bits, fewer than 2048$/,
      /./,
    ],
    [
      'a key of another kind',
      () => {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        return keyFile(tempDir(), privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
      },
      'ERR_SOURCE_INVALID',
      /not of RSA$/,
      /./,
    ],
    [
      'an encrypted key',
      () => {
        const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
        return keyFile(tempDir(), createPrivateKey(APP_PEM).export(options) as string);
      },
      'ERR_SOURCE_INVALID',
      /holds an encrypted key$/,
      /private_key_command/,
    ],
    [
      'one that is too long',
      () => keyFile(tempDir(), 'x'.repeat(40_000)),
      'ERR_SOURCE_INVALID',
      /larger than/,
      /./,
    ],
  ])('%s is refused', async (_, make, code, message, hint) => {
    const path = make();
    const context = brokerContext();
    const error = await errorOf(() => readPrivateKey(fromFile(path), context));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(error.hint ?? 'none').toMatch(hint);
    const secrets = context.registered.map(({ value }) => value).filter((value) => value.length > 7);
    expectNowhere(secrets, { texts: [inspect(error, { depth: 9, showHidden: true })] });
  });
});

describe('a program', () => {
  test('prints the key; nothing of the caller reaches it, and it runs beside the map', async () => {
    const key = keyFile(tempDir());
    const config = fromProgram(`env > env.txt; pwd > pwd.txt; cat '${key}'`);
    const context = brokerContext({ GITHUB_TOKEN: 'standing', NODE_OPTIONS: '--x', HOME: '/elsewhere' });
    const { source } = await readPrivateKey(config, context);
    const { dir = '', argv = [] } = config.privateKeyCommand ?? {};
    expect(source).toBe(`private_key_command:${argv[0]}`);
    expect(context.registered).toEqual([{ name: 'app_private_key', value: APP_PEM.trim() }]);
    expect(readFileSync(join(dir, 'pwd.txt'), 'utf8').trim()).toBe(dir);
    const names = readFileSync(join(dir, 'env.txt'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    const ofTheShell = ['PWD', 'OLDPWD', 'SHLVL', '_'];
    expect(names.filter((name) => !ofTheShell.includes(name ?? '')).sort()).toEqual([
      'HOME',
      'LOGNAME',
      'PATH',
      'USER',
    ]);
    expect(readFileSync(join(dir, 'env.txt'), 'utf8')).not.toContain('/elsewhere');
  });

  test.each<[string, string, string, RegExp]>([
    ['fails', `cat KEY; exit 3`, 'ERR_SOURCE_UNAVAILABLE', /" ended with 3 and gave no private key$/],
    ['prints nothing', 'true', 'ERR_SOURCE_UNAVAILABLE', /" printed no private key$/],
    ['prints nonsense', 'echo open sesame', 'ERR_SOURCE_INVALID', /" holds no private key in PEM$/],
    [
      'prints without end',
      'while :; do echo 0123456789abcdef; done',
      'ERR_SOURCE_UNAVAILABLE',
      /more than 32768 bytes$/,
    ],
    ['is killed', 'kill -9 $$', 'ERR_SOURCE_UNAVAILABLE', /" was ended by SIGKILL$/],
  ])('that %s gives no key', async (_, body, code, message) => {
    const config = fromProgram(body.replace('KEY', keyFile(tempDir())));
    const context = brokerContext();
    const error = await errorOf(() => readPrivateKey(config, context));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    const secrets = context.registered.map(({ value }) => value);
    expectNowhere(secrets, { texts: [inspect(error, { depth: 9, showHidden: true })] });
  });

  test('that does not exist is named', async () => {
    const config = gitHubConfig({ privateKeyCommand: { argv: ['/nowhere/print-key'], dir: '/' } });
    expect(await errorOf(() => readPrivateKey(config, brokerContext()))).toMatchObject({
      code: 'ERR_SOURCE_UNAVAILABLE',
      message: '"/nowhere/print-key" can\'t be started (ENOENT)',
    });
  });

  test('that waits is ended with the run', async () => {
    const config = fromProgram('touch started; sleep 600');
    const over = new AbortController();
    const reading = errorOf(() => readPrivateKey(config, brokerContext({}, { signal: over.signal })));
    const started = join(config.privateKeyCommand?.dir ?? '', 'started');
    while (!existsSync(started)) await new Promise((resolve) => setTimeout(resolve, 5));
    over.abort();
    expect(await reading).toMatchObject({ message: expect.stringMatching(/when the run was interrupted$/) });
  });
});
