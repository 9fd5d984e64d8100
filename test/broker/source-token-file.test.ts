/** Sources `web-identity-file` and `token-file`. */
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readSource } from '../../src/broker/sources/read-source.ts';
import type { Source } from '../../src/policy/capability.ts';
import { brokerContext, errorOf, type TestIssuer, testIssuer, tokenFile } from '../helpers/aws.ts';
import { tempDir } from '../helpers/cli.ts';

let issuer: TestIssuer;
let token: string;
beforeAll(async () => {
  issuer = await testIssuer();
  token = await issuer.sign();
});

describe('a token file', () => {
  test('is read anew each time', async () => {
    const source = tokenFile(tempDir(), token);
    await readSource(source, brokerContext());
    const rotated = await issuer.sign({ jti: '2' });
    writeFileSync(source.path, rotated);
    expect(await readSource(source, brokerContext())).toMatchObject({ token: rotated });
  });

  test('that is missing', async () => {
    const source: Source = { type: 'token-file', path: join(tempDir(), 'none'), audience: null };
    expect(await errorOf(() => readSource(source, brokerContext()))).toMatchObject({
      code: 'ERR_SOURCE_UNAVAILABLE',
      message: `"${source.path}" does not exist`,
    });
  });

  test.each([0o644, 0o640, 0o604, 0o620])('that others can use (%o) is refused', async (mode) => {
    const source = tokenFile(tempDir(), token);
    chmodSync(source.path, mode);
    expect(await errorOf(() => readSource(source, brokerContext()))).toMatchObject({
      code: 'ERR_SOURCE_INVALID',
      message: expect.stringMatching(/holds a secret and can be (?:read|changed) by others$/),
      hint: `chmod 600 ${source.path}`,
    });
  });

  test('in a volume that the kubelet projects may be readable where root owns it', async () => {
    const volume = tempDir();
    const written = join(volume, '..2026_11_23_12_00_00.123456789');
    mkdirSync(written);
    writeFileSync(join(written, 'token'), token, { mode: 0o644 });
    chmodSync(join(written, 'token'), 0o644);
    symlinkSync('..2026_11_23_12_00_00.123456789', join(volume, '..data'));
    symlinkSync('..data/token', join(volume, 'token'));
    const source: Source = { type: 'web-identity-file', path: join(volume, 'token'), audience: null };
    if (process.getuid?.() === 0) {
      expect(await readSource(source, brokerContext())).toMatchObject({ token });
      chownSync(join(written, 'token'), 65_534, 65_534);
    }
    // Not root's own: then the mode is what counts.
    expect(await errorOf(() => readSource(source, brokerContext()))).toMatchObject({
      code: 'ERR_SOURCE_INVALID',
    });
  });
});
