/** The tarball of `npm pack`, installed elsewhere, is a working capwrap. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { ROOT, tempDir } from '../helpers/cli.ts';

test('npm pack gives an installable CLI without run-time dependencies', { timeout: 120_000 }, async () => {
  const folder = tempDir();
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, NO_COLOR: '1' };
  // dist/ was built before the tests; building it again would pull it away from under the others.
  await execa('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
    cwd: ROOT,
    env,
    extendEnv: false,
  });
  const [tarball = 'none'] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  await execa(
    'npm',
    [
      'install',
      '--prefix',
      folder,
      '--offline',
      '--no-audit',
      '--no-fund',
      '--silent',
      join(folder, tarball),
    ],
    {
      cwd: folder,
      env,
      extendEnv: false,
    },
  );
  expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
    'capwrap',
  ]);

  const bin = join(folder, 'node_modules', '.bin', 'capwrap');
  const version = await execa(bin, ['--version'], { cwd: folder, env, extendEnv: false });
  expect(version.stdout).toBe(
    `capwrap ${JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version}`,
  );
  const schema = await execa(bin, ['schema'], { cwd: folder, env, extendEnv: false });
  expect(JSON.parse(schema.stdout)).toHaveProperty('properties.capabilities');
  const missing = await execa(bin, ['run', '-c', 'x', '--', 'true'], {
    cwd: folder,
    env,
    extendEnv: false,
    reject: false,
  });
  expect(missing.exitCode).toBe(121);
});
