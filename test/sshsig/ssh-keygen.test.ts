/** Against the real ssh-keygen: it signs and capwrap verifies, and both judge signatures of security keys alike. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { shellQuote } from '../../src/base/shell-quote.ts';
import { parsePublicKey } from '../../src/sshsig/public-key.ts';
import { signWithSshKeygen } from '../../src/sshsig/sign.ts';
import { parseSignature } from '../../src/sshsig/signature.ts';
import { verifySignature } from '../../src/sshsig/verify.ts';
import { tempDir } from '../helpers/cli.ts';
import { findTool, needs } from '../helpers/tools.ts';
import { makeEd25519Key, makeSkKey, signSk, TOUCHED } from './build-sk.ts';
import { NAMESPACE } from './vectors.ts';

const TOOL = findTool('ssh-keygen');
const MESSAGE = Buffer.from('{"capability": "preview", "nonce": "é\u2028\u0000"}\n');
/** Nothing of the machine that runs the tests: no agent, no home. */
const ENV = { PATH: quietFolder() };

/** A folder for PATH whose ssh-keygen is the real one, without what it tells the person on standard error. */
function quietFolder(): string {
  const folder = tempDir();
  const program = join(folder, 'ssh-keygen');
  writeFileSync(program, `#!/bin/sh\nexec ${shellQuote(TOOL ?? 'false')} "$@" 2> /dev/null\n`);
  chmodSync(program, 0o755);
  return folder;
}

async function makeKey(args: readonly string[], passphrase = '') {
  const cwd = tempDir();
  await execa('ssh-keygen', ['-q', ...args, '-N', passphrase, '-C', 'alice@example', '-f', join(cwd, 'key')]);
  return { cwd, publicLine: readFileSync(join(cwd, 'key.pub'), 'utf8') };
}

function judge(armored: string, publicLine: string, message = MESSAGE) {
  const keys = [{ principal: 'alice', key: parsePublicKey(publicLine) }];
  return verifySignature({ message, signature: parseSignature(armored), namespace: NAMESPACE, keys });
}

/** Whether `ssh-keygen -Y verify` takes the signature as alice's. */
async function opensshTakes(armored: string, publicLine: string, message: Uint8Array = MESSAGE) {
  const cwd = tempDir();
  writeFileSync(join(cwd, 'sig'), armored);
  writeFileSync(join(cwd, 'signers'), `alice ${publicLine}\n`);
  const args = ['-Y', 'verify', '-f', 'signers', '-I', 'alice', '-n', NAMESPACE, '-s', 'sig'];
  const { exitCode } = await execa('ssh-keygen', args, { cwd, input: message, reject: false });
  return exitCode === 0;
}

describe.skipIf(TOOL === null)(`ssh-keygen${needs('ssh-keygen')}`, () => {
  test.each([
    ['ed25519', ['-t', 'ed25519']],
    ['ecdsa 256', ['-t', 'ecdsa', '-b', '256']],
    ['ecdsa 384', ['-t', 'ecdsa', '-b', '384']],
    ['ecdsa 521', ['-t', 'ecdsa', '-b', '521']],
    ['rsa 3072', ['-t', 'rsa', '-b', '3072']],
  ])('%s: signs, and the signature is accepted', async (_, args) => {
    const { cwd, publicLine } = await makeKey(args);
    const { stdout } = await execa('ssh-keygen', ['-lf', join(cwd, 'key.pub')]);
    const fingerprint = stdout.split(' ')[1];
    const own = await signWithSshKeygen({
      keyFile: 'key',
      namespace: NAMESPACE,
      message: MESSAGE,
      env: ENV,
      cwd,
    });
    const signed = [own];
    for (const hash of ['sha256', 'sha512']) {
      const sign = ['-Y', 'sign', '-n', NAMESPACE, '-O', `hashalg=${hash}`, '-f', 'key'];
      const made = await execa('ssh-keygen', sign, { cwd, input: MESSAGE });
      expect(parseSignature(made.stdout).hash).toBe(hash);
      signed.push(made.stdout);
    }
    for (const armored of signed) {
      expect(judge(armored, publicLine)).toEqual({
        ok: true,
        principal: 'alice',
        fingerprint,
        grade: 'ssh_key',
      });
      expect(judge(armored, publicLine, MESSAGE.subarray(1))).toMatchObject({ reason: 'bad_signature' });
    }
  });

  test.each(['sk-ssh-ed25519@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com'] as const)(
    '%s: the signatures that tests build are ones that OpenSSH takes, touched or not',
    async (type) => {
      const key = makeSkKey(type);
      for (const [flags, grade] of [
        [TOUCHED, 'ssh_key_touch'],
        [0, 'ssh_key'],
      ] as const) {
        const armored = signSk(key, { message: MESSAGE, namespace: NAMESPACE, flags, counter: 7 });
        expect(await opensshTakes(armored, key.publicLine)).toBe(true);
        expect(await opensshTakes(armored, key.publicLine, Buffer.from('x'))).toBe(false);
        expect(judge(armored, key.publicLine)).toMatchObject({ ok: true, grade, counter: 7 });
      }
    },
  );

  test('a built Ed25519 signature is one that OpenSSH takes', async () => {
    const key = makeEd25519Key();
    expect(await opensshTakes(key.sign(MESSAGE, NAMESPACE), key.publicLine)).toBe(true);
    expect(await opensshTakes(key.sign(MESSAGE, 'git'), key.publicLine)).toBe(false);
  });

  test('gets the environment it is given: the passphrase comes from its SSH_ASKPASS', async () => {
    const { cwd, publicLine } = await makeKey(['-t', 'ed25519'], 'open sesame');
    const askpass = join(cwd, 'askpass');
    writeFileSync(askpass, '#!/bin/sh\necho open sesame\n');
    chmodSync(askpass, 0o755);
    const env = { ...ENV, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force' };
    const options = { keyFile: join(cwd, 'key'), namespace: NAMESPACE, message: MESSAGE, cwd };
    expect(judge(await signWithSshKeygen({ ...options, env }), publicLine)).toMatchObject({ ok: true });
  });

  test('a key that is not there', async () => {
    const options = { keyFile: 'no\u001bkey', namespace: NAMESPACE, message: MESSAGE, env: ENV };
    await expect(signWithSshKeygen({ ...options, cwd: tempDir() })).rejects.toMatchObject({
      code: 'ERR_SIGN',
      exitStatus: 122,
      message: '"no\\u{1b}key" signed nothing: ssh-keygen ended with status 255',
      hint: "ssh-keygen -Y sign -n capwrap-approval -f 'no\\u{1b}key' FILE",
    });
  });
});

describe('a program called ssh-keygen that', () => {
  /** Signs with a script in a folder; `pathOf` makes PATH of it. */
  function signWith(body: string, pathOf = (folder: string) => folder) {
    const cwd = tempDir();
    const program = join(cwd, 'bin', 'ssh-keygen');
    mkdirSync(dirname(program));
    writeFileSync(program, `#!/bin/sh\n${body}\n`);
    chmodSync(program, 0o755);
    const message = Buffer.alloc(300_000, 'm'); // more than a pipe holds
    const env = { PATH: pathOf(dirname(program)) };
    return signWithSshKeygen({ keyFile: 'key', namespace: NAMESPACE, message, env, cwd });
  }

  test.each([
    ['fails without reading', 'exit 3', '"key" signed nothing: ssh-keygen ended with status 3'],
    ['is killed', 'kill -TERM $$', '"key" signed nothing: ssh-keygen was ended by SIGTERM'],
    [
      'never stops writing',
      'while :; do echo xxxxxxxx; done',
      /^"key" signed nothing: .* more than 16384 bytes$/,
    ],
    [
      'writes no signature',
      'echo done',
      `"ssh-keygen" gave a signature that doesn't start with "-----BEGIN SSH`,
    ],
    ['writes nothing', ':', `"ssh-keygen" gave a signature that doesn't start with "-----BEGIN SSH`],
  ])('%s', async (_, body, message) => {
    const expected =
      typeof message === 'string' ? expect.stringContaining(message) : expect.stringMatching(message);
    await expect(signWith(body)).rejects.toMatchObject({ code: 'ERR_SIGN', message: expected });
  });

  test.each([
    ["isn't there", () => '/nonexistent'],
    ['is in a relative folder of PATH', (folder: string) => `:${relative(process.cwd(), folder)}`],
    ['has no PATH to be on', () => ''],
  ])('%s', async (_, pathOf) => {
    await expect(signWith('exit 3', pathOf)).rejects.toMatchObject({
      code: 'ERR_SIGN',
      message: '"ssh-keygen" is not on PATH',
    });
  });
});
