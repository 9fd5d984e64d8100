/** How the program is started: what reaches it, and what is refused. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { BIN, capwrap, tempDir } from '../helpers/cli.ts';
import { capwrapHere } from '../helpers/cli-here.ts';
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

test('--debug tells where the time went also where the command dies of a signal', async () => {
  const workspace = await localWorkspace();
  const result = await workspace.cli([
    ...['run', '--debug', '--quiet', '-c', 'local', '--', '/bin/sh', '-c', 'kill -TERM $$'],
  ]);
  expect(result).toMatchObject({
    signal: 'SIGTERM',
    stderr: expect.stringMatching(/^capwrap: debug: .*total=/),
  });
});

test('--debug tells where the time went, and no secret', async () => {
  const workspace = await localWorkspace();
  const result = await workspace.cli(['run', '--debug', '--quiet', '-c', 'local', '--', '/bin/true']);
  expect(result.stderr).toMatch(
    /^capwrap: debug: start=\d+\.\dms .*decide=.*issue=.*child=.*end=.*total=\d+\.\dms\n$/,
  );
});

test.each(['schema', '--help'])('a reader of %s that goes away early is no failure', async (word) => {
  const result = await execa('/bin/sh', ['-c', `{ "${BIN}" ${word}; echo "status $?" >&2; } | true`], {
    reject: false,
  });
  expect(result.stderr).toBe('status 0');
});

test.each([
  [['lst'], 'unknown command "lst"', 'Did you mean list?'],
  [['frobnicate'], 'unknown command "frobnicate"', 'capwrap --help'],
  [['audit', 'frobnicate'], 'unknown command "frobnicate"', 'capwrap audit --help'],
  [['-f', 'x.yaml', 'list', '--frobnicate'], 'unknown option "--frobnicate"', 'capwrap list --help'],
  [['issuer'], 'a command is missing', 'capwrap issuer --help'],
])('%j is a usage error that says where to look', async (words, message, hint) => {
  const { status, stderr } = await capwrapHere(words);
  expect(status).toBe(120);
  expect(stderr).toBe(`capwrap: error: ${message}\ncapwrap: hint: ${hint}\n`);
});

test('a full disk under standard output is told', async () => {
  const result = await execa('/bin/sh', ['-c', `"${BIN}" schema > /dev/full`], { reject: false });
  expect(result.exitCode).toBe(125);
  expect(result.stderr).toContain("standard output can't be written (ENOSPC)");
});

test.each(['NODE_EXTRA_CA_CERTS', 'NODE_V8_COVERAGE'])(
  '%s that went around the launcher is refused',
  async (name) => {
    const env = { [name]: join(tempDir(), 'x') };
    const around = await execa(process.execPath, [BIN, 'list'], { env, extendEnv: false, reject: false });
    expect(around.exitCode).toBe(120);
    expect(around.stderr).toContain(`"${name}" is set`);
    expect((await capwrap(['--version'], { env })).status).toBe(0);
  },
);

test('an inspector that was opened by a flag is refused', async () => {
  const result = await execa(process.execPath, ['--inspect=127.0.0.1:0', BIN, 'list'], {
    env: {},
    extendEnv: false,
    reject: false,
  });
  expect(result.exitCode).toBe(120);
  expect(result.stderr).toContain("Node's inspector is open");
});

test('SIGUSR1, however early, never leaves a child running beside an open inspector', {
  timeout: 60_000,
}, async () => {
  const workspace = await localWorkspace();
  // The launcher's first moments; those of Node's start are in test/matrix.
  const runs = Array.from({ length: 5 }, async (_, index) => {
    const child = execa(BIN, ['run', '--quiet', '-c', 'local', '--', '/bin/echo', 'ran'], {
      cwd: workspace.folder,
      env: { PATH: process.env['PATH'] ?? '', ...workspace.env },
      extendEnv: false,
      reject: false,
    });
    setTimeout(() => child.kill('SIGUSR1'), index * 2);
    const { exitCode, stdout, stderr, signal } = await child;
    // A signal before Node has set up its own handling ends the process, as it ends any other.
    if (stderr.includes('Debugger listening')) expect(stdout).toBe('');
    else if (signal === undefined) expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'ran' });
  });
  await Promise.all(runs);
});

test("a channel to another Node process doesn't reach capwrap", async () => {
  const workspace = await localWorkspace();
  const result = await workspace.run('local', ['/bin/sh', '-c', 'exit 5'], { env: { NODE_CHANNEL_FD: '4' } });
  expect(result.status).toBe(5);
  expect(workspace.records().at(-1)).toMatchObject({ event: 'closed' });
});

test('a broken installation is told as such', async () => {
  const folder = tempDir();
  await execa('cp', ['-r', join(BIN, '..'), join(folder, 'bin')]);
  const result = await execa(join(folder, 'bin', 'capwrap.js'), ['--version'], { reject: false });
  expect(result.exitCode).toBe(125);
  expect(result.stderr).toBe(
    'capwrap: error: the installation is damaged: dist/start.js is missing or broken',
  );
});

test.each([3, 5, 7, 9, 11, 13, 15])(
  '--events-fd %i is refused where it is not the caller who opened it',
  async (fd) => {
    const workspace = await localWorkspace();
    const result = await execa(
      '/bin/sh',
      ['-c', `exec "${BIN}" run --quiet -c local --events-fd ${fd} -- /bin/true`],
      {
        cwd: workspace.folder,
        env: { PATH: process.env['PATH'] ?? '', ...workspace.env },
        extendEnv: false,
        reject: false,
      },
    );
    expect(result.exitCode, result.stderr).toBe(120);
    expect(workspace.records().at(-1)).toMatchObject({ event: 'trusted' });
  },
);
