/** Help texts: every command has one with examples, and no example is a usage error. */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BIN, capwrap } from '../helpers/cli.ts';
import { capwrapHere } from '../helpers/cli-here.ts';
import { exampleWorkspace } from '../helpers/example-workspace.ts';

const COMMANDS = [
  'run',
  'explain',
  'list',
  'check',
  'trust',
  'untrust',
  'approvals',
  'approve',
  'deny',
  'leases',
  'leases end',
  'leases reap',
  'audit',
  'audit list',
  'audit show',
  'audit stats',
  'audit tail',
  'audit verify',
  'audit report',
  'audit anchor',
  'audit reconcile',
  'audit ship',
  'audit export',
  'issuer',
  'issuer init',
  'issuer jwks',
  'issuer serve',
  'issuer verify',
  'init',
  'doctor',
  'schema',
  'completion',
];

/** These go on until they are interrupted. */
const ENDLESS = /issuer serve|--follow|tail -f/;

/** Examples that show the embedded issuer, or what a run has left. */
const NEEDS_A_RUN = /issuer|audit|lease/i;

/** What starts nothing, asks nobody, reads no file of an example and has no word that a shell would change. */
const PLAIN =
  /^capwrap (?:approvals|audit (?:list|show|tail)|check|explain|init|issuer (?:init|jwks)|leases|list)\b[\w .,:/=~+@-]*$/;

async function examplesOf(command: string): Promise<string[]> {
  const { stdout, status } = await capwrapHere([...command.split(' ').filter(Boolean), '--help']);
  expect(status).toBe(0);
  const [, examples = ''] = stdout.split('Examples:\n');
  return examples
    .split('\n')
    .filter((line) => line.startsWith('  '))
    .map((line) => line.trim().replace(/ {2,}.*/, ''));
}

test.each(COMMANDS)('the examples of %s are understood', async (command) => {
  const examples = await examplesOf(command);
  expect(examples.length).toBeGreaterThan(0);
  const workspace = await exampleWorkspace();
  let lease = '';
  if (NEEDS_A_RUN.test(examples.join())) {
    await workspace.here(['issuer', 'init']);
    await workspace.run('read-ci-artifacts', ['./examples/scripts/fetch-artifacts.sh']);
    lease = String(workspace.records().at(-1)?.['lease_id']);
  }
  mkdirSync(join(workspace.folder, 'bin'));
  symlinkSync(BIN, join(workspace.folder, 'bin', 'capwrap'));
  // `approve --request request.json` takes what a waiting run has printed: the tests of approvals do that.
  for (const example of examples.filter((line) => !line.includes('request.json'))) {
    if (example === 'capwrap init') rmSync(workspace.mapFile);
    const line = example
      .replaceAll('DIGEST', 'a'.repeat(64))
      .replace(/LEASE|9f8c6b6a41d2e07c/, lease)
      .replace('| source', '| cat');
    const env = { ...workspace.env, CAPWRAP_ENVIRONMENT: 'preview' };
    const { status, stderr } =
      PLAIN.test(line) && !ENDLESS.test(line)
        ? await workspace.here(line.split(' ').slice(1), { env })
        : await runExample(line, workspace.folder, env);
    expect([120, 127], `${example}\n${stderr}`).not.toContain(status);
    expect(stderr, example).not.toContain('failed unexpectedly');
  }
});

test('the program lists each of them, and shows what the tests above have seen', async () => {
  const { stdout } = await capwrap(['--help']);
  expect(stdout).toBe((await capwrapHere(['--help'])).stdout);
  expect(await capwrap(['audit', 'list', '--help'])).toEqual(await capwrapHere(['audit', 'list', '--help']));
  for (const command of new Set(COMMANDS.map((name) => name.split(' ')[0] ?? ''))) {
    expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
  }
  expect(await examplesOf('')).toHaveLength(5);
});

/** Files that examples read: what stands in them is for other tests. */
const PRELUDE = [
  'echo not-a-token > token.jwt',
  'touch heads.log anchors.jsonl',
  'mkdir -p AWSLogs ~/.ssh',
  `echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH/nCUxCUYcN+Sm0v8PlySP7bW6JtRv2qOPwAmxjslg/ a' > ~/.ssh/id_ed25519.pub`,
].join('; ');

function runExample(
  line: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<{ status: number | null; stderr: string }> {
  const child = spawn('/bin/sh', ['-c', `${PRELUDE}; exec 3>&1; ${line}`], {
    cwd,
    env: { ...env, PATH: `${cwd}/bin:${process.env['PATH']}` },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdout.on('data', () => {
    if (ENDLESS.test(line)) process.kill(-(child.pid ?? 0), 'SIGTERM');
  });
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, stderr })));
}
