/** What the README shows is what happens. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { capwrap, ROOT, tempDir } from '../helpers/cli.ts';
import { awsWorkspace } from '../helpers/workspace.ts';
import { makeSkKey } from '../sshsig/build-sk.ts';

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const MAP = /```yaml\n([\s\S]*?)```/.exec(README)?.[1] ?? '';
const RUN = /^ {4}\$ (capwrap run .*)\n((?: {4}.*\n)+)/m.exec(README);

test('the map is valid and its tests pass', async () => {
  const folder = tempDir();
  writeFileSync(join(folder, 'capabilities.yaml'), MAP);
  const result = await capwrap(['check'], { cwd: folder, env: { HOME: folder } });
  expect(result.stdout).toContain('2 of 2 tests passed');
  expect(result.status).toBe(0);
});

test('the map with an approval is valid', async () => {
  const folder = tempDir();
  const [, , block = ''] = README.split('```yaml\n').map((part) => part.split('```')[0]);
  const text = `version: 1\n${block}`
    .replace(
      'sk-ssh-ed25519@openssh.com AAAA... alice@laptop',
      makeSkKey('sk-ssh-ed25519@openssh.com').publicLine,
    )
    .replace('# ...', 'provider: local-issuer\n    audience: a\n    scope: [s]');
  writeFileSync(join(folder, 'capabilities.yaml'), text);
  const result = await capwrap(['check', '--json'], { cwd: folder, env: { HOME: folder } });
  expect(JSON.parse(result.stdout).faults).toEqual([]);
  expect(result.stdout).not.toContain('touch_impossible');
});

test('the run prints what is shown', async () => {
  const workspace = await awsWorkspace();
  const text = readFileSync(workspace.mapFile, 'utf8');
  await workspace.setMap(
    MAP.replace(/source: .*/, /source: .*/.exec(text)?.[0] ?? '')
      .replace(/region: .*/, `$&\n    endpoint: ${workspace.sandbox.url}`)
      .replace(
        'resources: ["arn:aws:s3:::acme-previews/*"]',
        '$&\n      - actions: [cloudfront:CreateInvalidation]\n        resources: ["arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE"]',
      ),
  );
  workspace.script('publish-preview.sh', 'echo uploaded s3://acme-previews/preview/index.html');
  const [, command = '', shown = ''] = RUN ?? [];
  const words = (command.match(/"[^"]*"|\S+/g) ?? []).slice(1).map((word) => word.replaceAll('"', ''));
  const result = await workspace.cli(words.map((word) => word.replace('./scripts/', './')));
  expect(result.status, result.stderr).toBe(122); // the rule names ./scripts/publish-preview.sh

  const { mkdirSync, renameSync } = await import('node:fs');
  mkdirSync(join(workspace.folder, 'scripts'));
  renameSync(
    join(workspace.folder, 'publish-preview.sh'),
    join(workspace.folder, 'scripts', 'publish-preview.sh'),
  );
  const allowed = await workspace.cli(words);
  expect(allowed.status, allowed.stderr).toBe(0);
  const normal = (lines: string) =>
    lines
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean)
      .map((line) =>
        line.replaceAll(/lease_id=[0-9a-f]{16}/g, 'lease_id=L').replaceAll(/expires_at=\S+/g, 'expires_at=T'),
      )
      .sort();
  expect(normal(allowed.stderr + allowed.stdout)).toEqual(normal(shown));
});

test('every file and document that it links to is there', () => {
  const links = [...README.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path ?? '');
  expect(links.length).toBeGreaterThan(5);
  for (const link of links) expect(() => readFileSync(join(ROOT, link)), link).not.toThrow(/ENOENT/);
});
