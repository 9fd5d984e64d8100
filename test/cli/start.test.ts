/** How the program is started: what reaches it, and what is refused. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { BIN, capwrap, tempDir } from '../helpers/cli.ts';
import { localWorkspace } from '../helpers/workspace.ts';

test('code in NODE_OPTIONS does not run: the launcher drops it', async () => {
  const folder = tempDir();
  writeFileSync(join(folder, 'hook.cjs'), "require('node:fs').writeFileSync(__dirname + '/ran', '')");
  const result = await capwrap(['--version'], {
    env: { NODE_OPTIONS: `--require ${join(folder, 'hook.cjs')}` },
  });
  expect(result.status).toBe(0);
  const listing = await execa('ls', [folder]);
  expect(listing.stdout).toBe('hook.cjs');
});

test.each(['NODE_DEBUG', 'NODE_DEBUG_NATIVE'])('%s is refused', async (name) => {
  const result = await capwrap(['list'], { env: { [name]: 'http' } });
  expect(result.status).toBe(120);
  expect(result.stderr).toContain(`"${name}" is set`);
  expect(result.stderr).toContain(`env -u ${name}`);
});

test('NODE_OPTIONS that went around the launcher are refused', async () => {
  const result = await execa(process.execPath, [BIN, 'list'], {
    env: { NODE_OPTIONS: '--no-warnings' },
    extendEnv: false,
    reject: false,
  });
  expect(result.exitCode).toBe(120);
  expect(result.stderr).toContain('"NODE_OPTIONS" is set');
});

test('a usage error is one JSON object with --json', async () => {
  const result = await capwrap(['run', '--json', '--frobnicate']);
  expect(result.status).toBe(120);
  expect(JSON.parse(result.stderr)).toMatchObject({ event: 'error', code: 'ERR_USAGE' });
});

test('without a command the help is an error', async () => {
  const result = await capwrap([]);
  expect(result.status).toBe(120);
  expect(result.stderr).toContain('capwrap: error:');
});

test('--debug tells where the time went, and no secret', async () => {
  const workspace = await localWorkspace();
  const result = await workspace.cli(['run', '--debug', '--quiet', '-c', 'local', '--', '/bin/true']);
  expect(result.stderr).toMatch(
    /^capwrap: debug: start=\d+\.\dms .*decide=.*issue=.*child=.*end=.*total=\d+\.\dms\n$/,
  );
});

test('a reader that goes away early is no failure', async () => {
  const result = await execa('/bin/sh', ['-c', `{ "${BIN}" schema; echo "status $?" >&2; } | true`], {
    reject: false,
  });
  expect(result.stderr).toBe('status 0');
});

test('a full disk under standard output is told', async () => {
  const result = await execa('/bin/sh', ['-c', `"${BIN}" schema > /dev/full`], { reject: false });
  expect(result.exitCode).toBe(125);
  expect(result.stderr).toContain("standard output can't be written (ENOSPC)");
});
