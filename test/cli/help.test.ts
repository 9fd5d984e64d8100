/** Help texts: every command has one with examples, and no example is a usage error. */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BIN, capwrap } from '../helpers/cli.ts';
import { capwrapHere } from '../helpers/cli-here.ts';
import { exampleWorkspace } from '../helpers/example-workspace.ts';
import type { AwsWorkspace, Workspace } from '../helpers/workspace.ts';

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

/** These are about the map, or change it: each has a workspace of its own. */
const ABOUT_THE_MAP = /^(?:init|run|explain|list|check|trust|untrust)$/;

/** What starts nothing, asks nobody, and has no word that a shell would change, but for quotes and a redirection. */
const PLAIN = RegExp(
  `^capwrap (?:${[
    'approvals|check|deny|explain|init|leases|list|schema|completion|untrust --sha256|trust --(?:list|sha256|statement)',
    'audit (?:list|show|tail|stats|verify|report|export|ship|anchor(?! --key))|issuer (?:init|jwks)',
  ].join('|')})\\b(?:[\\w .,:/=~+@-]|"[\\w .,/*-]*")*( > [\\w.]+)?$`,
);

/** Runs such a line as a shell in the workspace would. */
async function hereExample(workspace: Workspace, line: string, env: Readonly<Record<string, string>>) {
  const [command = '', target] = line.split(' > ');
  const words = [...command.matchAll(/"([^"]*)"|[^ "]+/g)].map(
    ([word, quoted]) => quoted ?? word.replace(/^~(?=\/)/, workspace.folder),
  );
  const result = await workspace.here(words.slice(1), { env });
  if (target !== undefined) writeFileSync(join(workspace.folder, target), result.stdout);
  return result;
}

async function examplesOf(command: string): Promise<string[]> {
  const { stdout, status } = await capwrapHere([...command.split(' ').filter(Boolean), '--help']);
  expect(status).toBe(0);
  const [, examples = ''] = stdout.split('Examples:\n');
  return examples
    .split('\n')
    .filter((line) => line.startsWith('  '))
    .map((line) => line.trim().replace(/ {2,}.*/, ''));
}

/** A workspace with what the examples name. */
async function workspaceForExamples() {
  const workspace = await exampleWorkspace();
  const { folder } = workspace;
  for (const path of ['bin', 'AWSLogs', '.ssh']) mkdirSync(join(folder, path));
  symlinkSync(BIN, join(folder, 'bin', 'capwrap'));
  // What stands in them is for other tests.
  for (const path of ['heads.log', 'anchors.jsonl']) writeFileSync(join(folder, path), '');
  writeFileSync(join(folder, 'token.jwt'), 'not-a-token\n');
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH/nCUxCUYcN+Sm0v8PlySP7bW6JtRv2qOPwAmxjslg/ a\n';
  writeFileSync(join(folder, '.ssh', 'id_ed25519.pub'), key);
  return workspace;
}

/** One for all commands that show the embedded issuer, or what a run has left. */
let shared: AwsWorkspace;
let lease = '';
beforeAll(async () => {
  shared = await workspaceForExamples();
  await shared.here(['issuer', 'init']);
  await shared.run('read-ci-artifacts', ['./examples/scripts/fetch-artifacts.sh']);
  lease = String(shared.records().at(-1)?.['lease_id']);
});
afterAll(async () => {
  await shared.sandbox.stop();
  rmSync(shared.folder, { recursive: true });
});

test.each(COMMANDS)('the examples of %s are understood', async (command) => {
  const examples = await examplesOf(command);
  expect(examples.length).toBeGreaterThan(0);
  const workspace = ABOUT_THE_MAP.test(command) ? await workspaceForExamples() : shared;
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
        ? await hereExample(workspace, line, env)
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

function runExample(
  line: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<{ status: number | null; stderr: string }> {
  const child = spawn('/bin/sh', ['-c', `exec 3>&1; ${line}`], {
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
