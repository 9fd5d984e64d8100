/** The files that sources read: who else could use them, and what is no file at all. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { expect, test } from 'vitest';
import { readSource } from '../../src/broker/sources/read-source.ts';
import { brokerContext, errorOf } from '../helpers/aws.ts';
import { tempDir } from '../helpers/cli.ts';
import { home, KEYS, PROOF, profile } from './key-sources.ts';

test.each([
  { mode: 0o644, why: 'can be read by others' },
  { mode: 0o640, why: 'can be read by others' },
  { mode: 0o622, why: 'can be changed by others' },
  { mode: 0o666, why: 'can be changed by others' },
])('a file with mode $mode is refused', async ({ mode, why }) => {
  const folder = home({ credentials: `[agent-base]\n${KEYS}` }, mode);
  const path = join(folder, '.aws', 'credentials');
  const error = await errorOf(() => readSource(profile(), brokerContext({ HOME: folder })));
  expect(error).toMatchObject({
    code: 'ERR_SOURCE_INVALID',
    message: `"${path}" holds a secret and ${why}`,
    hint: `chmod 600 ${path}`,
  });
});

test('may be open where it holds none of the secrets', async () => {
  const folder = home({
    credentials: `[agent-base]\n${KEYS}`,
    config: '[profile agent-base]\nregion=eu-west-1\n',
  });
  chmodSync(join(folder, '.aws', 'config'), 0o644);
  expect(await readSource(profile(), brokerContext({ HOME: folder }))).toEqual(PROOF);
});

test('may be reached through a symbolic link', async () => {
  const folder = home({});
  const elsewhere = join(tempDir(), 'keys');
  writeFileSync(elsewhere, `[agent-base]\n${KEYS}`, { mode: 0o600 });
  symlinkSync(elsewhere, join(folder, '.aws', 'credentials'));
  expect(await readSource(profile(), brokerContext({ HOME: folder }))).toEqual(PROOF);
});

test.each([
  {
    name: 'a FIFO',
    make: (path: string) => void execaSync('mkfifo', [path]),
    message: /is not a regular file$/,
  },
  { name: 'a folder', make: (path: string) => void mkdirSync(path), message: /is not a regular file$/ },
  {
    name: 'a device',
    make: (path: string) => symlinkSync('/dev/zero', path),
    message: /is not a regular file$/,
  },
  {
    name: 'more than 1 MiB',
    make: (path: string) => writeFileSync(path, 'x'.repeat(1024 * 1024 + 1), { mode: 0o600 }),
    message: /is larger than 1048576 bytes$/,
  },
])('that is $name is refused at once', async ({ make, message }) => {
  const folder = home({});
  make(join(folder, '.aws', 'credentials'));
  const error = await errorOf(() => readSource(profile(), brokerContext({ HOME: folder })));
  expect(error.code).toBe('ERR_SOURCE_INVALID');
  expect(error.message).toMatch(message);
});

test.skipIf(process.getuid?.() === 0)('that can’t be read says so (root can read anything)', async () => {
  const folder = home({ credentials: `[agent-base]\n${KEYS}` }, 0o000);
  const error = await errorOf(() => readSource(profile(), brokerContext({ HOME: folder })));
  expect(error).toMatchObject({
    code: 'ERR_SOURCE_UNAVAILABLE',
    message: expect.stringContaining('(EACCES)'),
  });
});
