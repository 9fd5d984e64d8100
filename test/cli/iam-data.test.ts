/** The reference of IAM actions is read by `check`, where a map speaks of AWS, and by nothing else. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { ROOT, tempDir } from '../helpers/cli.ts';
import { localWorkspace } from '../helpers/workspace.ts';

const NAME = 'iam-actions.json.br';
const AWS = `version: 1
capabilities:
  read:
    provider: aws-sts
    role_arn: arn:aws:iam::123456789012:role/x
    region: us-east-1
    source: {type: env}
    scope: [{actions: [s3:GetObjct], resources: ["arn:aws:s3:::a/*"]}]
    rules: [{allow: {repo: acme/x, command: ./x.sh}}]
`;

/** An installation of its own, to take the file away from. */
async function installation(): Promise<{ readonly bin: string; readonly data: string }> {
  const folder = tempDir();
  await execa('cp', [
    '-r',
    ...['bin', 'dist', 'schema', 'package.json'].map((name) => join(ROOT, name)),
    folder,
  ]);
  return { bin: join(folder, 'bin', 'capwrap.js'), data: join(folder, 'dist', NAME) };
}

test('without the data, everything but check of AWS works', async () => {
  const { bin, data } = await installation();
  const workspace = await localWorkspace();
  const aws = join(workspace.folder, 'aws.yaml');
  writeFileSync(aws, AWS, { mode: 0o644 });
  const start = (args: readonly string[]) =>
    execa(bin, [...args], {
      cwd: workspace.folder,
      env: { PATH: process.env['PATH'] ?? '', ...workspace.env },
      extendEnv: false,
      reject: false,
      stdin: 'ignore',
    });

  expect((await start(['check', aws])).stdout).toContain('"s3:GetObjct" is no action of s3');
  rmSync(data);
  expect((await start(['run', '--quiet', '-c', 'local', '--', '/bin/echo', 'ran'])).stdout).toBe('ran');
  expect((await start(['explain', 'local', '--', '/bin/true'])).exitCode).toBe(0);
  expect((await start(['list'])).exitCode).toBe(0);
  expect((await start(['check'])).exitCode).toBe(0);

  const missing = await start(['check', aws]);
  expect(missing.exitCode).toBe(125);
  expect(missing.stderr).toContain(`"${NAME}" is missing from the installation`);
  writeFileSync(data, 'not brotli');
  expect((await start(['check', aws])).stderr).toContain(`"${NAME}" is damaged`);
});

test('the program that runs commands does not name it', () => {
  const naming = readdirSync(join(ROOT, 'dist')).filter(
    (name) => name.endsWith('.js') && readFileSync(join(ROOT, 'dist', name), 'utf8').includes(NAME),
  );
  expect(naming).toHaveLength(1);
  expect(naming[0]).not.toMatch(/^(?:run|start)\b/);
});

test('the package says whose data it is', () => {
  const notices = readFileSync(join(ROOT, 'dist', 'THIRD-PARTY.txt'), 'utf8');
  expect(notices).toMatch(/^@cloud-copilot\/iam-data \d\S+ \(MIT\)\n\nMIT License\n/m);
});
