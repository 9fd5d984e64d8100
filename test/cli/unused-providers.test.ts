/** A run loads what issues from its own provider and from no other. */
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { ROOT, tempDir } from '../helpers/cli.ts';
import { localWorkspace } from '../helpers/workspace.ts';

const OTHERS = /^(?:aws-sts|sdk|vault|gcp|github-app|oauth2|command)-[\w-]+\.js$/;

test('without the modules of the other providers a run on the embedded issuer is as before', async () => {
  const copy = tempDir();
  mkdirSync(join(copy, 'bin'));
  for (const name of ['dist', 'bin', 'package.json'])
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const others = readdirSync(join(copy, 'dist')).filter((name) => OTHERS.test(name));
  expect(new Set(others.map((name) => name.replace(/-[\w-]{8}\.js$/, ''))).size).toBeGreaterThan(5);
  for (const name of others) rmSync(join(copy, 'dist', name));
  const workspace = await localWorkspace();
  const { exitCode, stderr } = await execa(
    join(copy, 'bin', 'capwrap.js'),
    ['run', '-c', 'local', '--', '/bin/true'],
    {
      cwd: workspace.folder,
      env: { PATH: process.env['PATH'], ...workspace.env },
      extendEnv: false,
      reject: false,
    },
  );
  expect(stderr).toContain('status=revoked_verified');
  expect(exitCode).toBe(0);
});
