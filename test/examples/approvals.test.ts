/** The example of approvals: its program carries the request out and the answer back; and what docs/approvals.md says. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { APPROVAL_FAULTS } from '../../src/approval/faults.ts';
import { APPROVAL_GRADES } from '../../src/base/approval-grade.ts';
import { parseMap } from '../../src/policy/parse.ts';
import { BIN, capwrap, ROOT, tempDir } from '../helpers/cli.ts';
import { capwrapHere } from '../helpers/cli-here.ts';
import { localWorkspace } from '../helpers/workspace.ts';
import { makeSkKey, signSk, TOUCHED } from '../sshsig/build-sk.ts';

const EXAMPLE = join(ROOT, 'examples', 'approvals');

test('the map is valid and its tests pass', async () => {
  const result = await capwrapHere(['check', join(EXAMPLE, 'capabilities.yaml')], {
    env: { HOME: '/nonexistent' },
  });
  expect(result.stdout).toContain('3 of 3 tests passed');
  expect(result.status, result.stdout).toBe(0);
});

test('the program puts the request into the channel, and hands back the answer that appears there', async () => {
  const key = makeSkKey('sk-ssh-ed25519@openssh.com');
  const map = readFileSync(join(EXAMPLE, 'capabilities.yaml'), 'utf8')
    .replace(/sk-ssh-ed25519@openssh.com \S+ \S+"/, `${key.publicLine}"`)
    .replaceAll('branch: main', 'branch: main*');
  const workspace = await localWorkspace(map);
  for (const file of ['ask-in-chat.sh']) cpSync(join(EXAMPLE, file), join(workspace.folder, file));
  writeFileSync(join(workspace.folder, '.git', 'HEAD'), 'ref: refs/heads/main\n');
  mkdirSync(join(workspace.folder, 'scripts'));
  const script = join(workspace.folder, 'scripts', 'deploy.sh');
  writeFileSync(script, '#!/bin/sh\necho deployed\n');
  chmodSync(script, 0o755);
  const channel = join(workspace.folder, 'approvals');
  mkdirSync(channel);
  const request = appears(channel, '.request.json');
  const run = execa(BIN, ['run', '-c', 'deploy', '-j', 'release', '--', './scripts/deploy.sh'], {
    cwd: workspace.folder,
    env: { PATH: process.env['PATH'] ?? '', ...workspace.env },
    extendEnv: false,
    reject: false,
  });
  const file = join(channel, await request);

  const there = { cwd: tempDir(), env: { HOME: tempDir(), CAPWRAP_HOME: join(tempDir(), 'state') } };
  const statement = await capwrap(['approve', '--request', file, '--statement'], there);
  expect(statement.status, statement.stderr).toBe(0);
  const signed = join(there.cwd, 'statement.json');
  writeFileSync(signed, statement.stdout);
  const message = Buffer.from(statement.stdout);
  writeFileSync(`${signed}.sig`, signSk(key, { message, namespace: 'capwrap-approval', flags: TOUCHED }));
  const answer = await capwrap(['approve', '--request', file, '--signed', signed], there);
  expect(answer.status, answer.stderr).toBe(0);
  const back = file.replace('.request.json', '.approval.json');
  writeFileSync(`${back}.new`, answer.stdout);
  renameSync(`${back}.new`, back);

  expect(await run).toMatchObject({ exitCode: 0, stdout: 'deployed' });
  expect(workspace.records().at(-1)).toMatchObject({ approval_grade: 'ssh_key_touch', approver: 'alice' });
  expect(workspace.records().find(({ event }) => event === 'approval_requested')).toMatchObject({
    asked_through: [join(workspace.folder, 'ask-in-chat.sh')],
  });
});

/** Name of the first file with this end in a folder. */
function appears(folder: string, end: string): Promise<string> {
  return new Promise((resolve) => {
    const look = () => {
      const found = existsSync(folder) ? readdirSync(folder).find((name) => name.endsWith(end)) : undefined;
      if (found === undefined) return;
      watcher.close();
      resolve(found);
    };
    const watcher = watch(folder, look);
    look();
  });
}

const DOC = readFileSync(join(ROOT, 'docs', 'approvals.md'), 'utf8');

test('every grade and every reason is explained', () => {
  for (const grade of APPROVAL_GRADES.slice(1)) expect(DOC).toContain(`| \`${grade}\` |`);
  const [, table = ''] = DOC.split("## Why an approval doesn't count");
  const explained = [...table.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name);
  for (const reason of APPROVAL_FAULTS) expect(explained).toContain(reason);
});

test("the document's map is valid", () => {
  const [block = ''] = /^(?: {4}.*\n)+/m.exec(DOC.slice(DOC.indexOf('## In the map'))) ?? [];
  const text = `version: 1\n${block.replaceAll(/^ {4}/gm, '')}`.replace(
    '# provider, scope, ...',
    'provider: local-issuer\n    audience: a\n    scope: [s]',
  );
  const map = parseMap(Buffer.from(text), { path: '/m/capabilities.yaml', dir: '/m', sha256: '0' });
  expect(map.capabilities.get('deploy')?.rules.map(({ approval }) => approval)).toEqual(['signed', 'prompt']);
});
