/** `capwrap init`: the starter map. */
import { lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { starterMap } from '../../src/commands/init-starter.ts';
import { runPolicyTests } from '../../src/policy/inline-tests.ts';
import { parseMap } from '../../src/policy/parse.ts';
import { known, unknown } from '../../src/request/facts.ts';
import { errorOf } from '../helpers/aws.ts';
import { tempDir } from '../helpers/cli.ts';
import { runInit, workTree } from './init-support.ts';

function parse(text: string) {
  return parseMap(Buffer.from(text), { path: '/w/capabilities.yaml', dir: '/w', sha256: '0'.repeat(64) });
}

/** The map with its commented-out capability taken in. */
function uncommented(text: string): string {
  return text.replace(/^ {2}#(?=publish-preview-build:| {2})/gm, '  ');
}

describe('the starter map', () => {
  const cases = [
    { name: 'a repository and branch', repo: 'acme/web-app', branch: 'main', expected: 'acme/web-app' },
    { name: 'a group of groups', repo: 'acme/team/web-app', branch: 'feat/x', expected: 'acme/team/web-app' },
    { name: 'nothing that can be told', repo: null, branch: null, expected: 'OWNER/REPOSITORY' },
    {
      name: 'a name that would be YAML',
      repo: 'a/b: {c',
      branch: 'x"]}, allow: {',
      expected: 'OWNER/REPOSITORY',
    },
    {
      name: 'a name that would be a pattern',
      repo: 'acme/*',
      branch: 'feat/**',
      expected: 'OWNER/REPOSITORY',
    },
    { name: 'a branch that YAML would take for a number', repo: '1/2', branch: '1e3', expected: '1/2' },
  ];
  test.each(cases)('from $name is valid, and its tests hold', ({ repo, branch, expected }) => {
    const fact = (value: string | null) =>
      value === null ? unknown('no git') : known(value, 'observed', '.git');
    const text = starterMap({ repo: fact(repo), branch: fact(branch) });
    for (const map of [parse(text), parse(uncommented(text))]) {
      expect(runPolicyTests(map)).toEqual([]);
      expect(map.capabilities.get('read-artifacts')).toMatchObject({ home: 'private' });
      for (const { rules } of map.capabilities.values()) {
        for (const rule of rules.filter(({ effect }) => effect === 'allow'))
          expect(rule.when.repo).toEqual([expected]);
      }
    }
    expect([...parse(uncommented(text)).capabilities.keys()]).toEqual([
      'read-artifacts',
      'publish-preview-build',
    ]);
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./capabilities.schema.json');
  });

  test('is written at the root of the work tree, from wherever it is asked for', async () => {
    const root = workTree();
    mkdirSync(join(root, 'a', 'b'), { recursive: true });
    const printed = await runInit(join(root, 'a', 'b'));
    const path = join(root, 'capabilities.yaml');
    const map = parse(readFileSync(path, 'utf8'));
    expect(map.capabilities.get('read-artifacts')?.rules[0]?.when).toMatchObject({
      repo: ['acme/web-app'],
      branch: ['feat/x', 'main', 'feat/*'],
    });
    expect(lstatSync(path).mode & 0o777).toBe(0o644);
    expect(printed).toContain('capwrap trust');
  });

  test('says where git could not tell the repository', async () => {
    const printed = await runInit(tempDir());
    expect(printed).toMatch(/The repository could not be told \(.+\): write its name in the rules\./);
  });

  test('as JSON', async () => {
    const root = workTree();
    expect(JSON.parse(await runInit(root, {}, true))).toMatchObject({
      path: join(root, 'capabilities.yaml'),
      repo: 'acme/web-app',
    });
  });

  test('never replaces a map unless told to', async () => {
    const root = workTree();
    const path = join(root, 'capabilities.yaml');
    writeFileSync(path, 'mine');
    expect(await errorOf(() => runInit(root))).toMatchObject({
      code: 'ERR_USAGE',
      message: '"capabilities.yaml" exists already',
      hint: 'capwrap check capabilities.yaml',
    });
    expect(readFileSync(path, 'utf8')).toBe('mine');
    await runInit(root, { force: true });
    expect(parse(readFileSync(path, 'utf8')).capabilities.size).toBe(1);
  });

  test('is not written through a symbolic link', async () => {
    const root = workTree();
    const target = join(tempDir(), 'elsewhere.yaml');
    symlinkSync(target, join(root, 'capabilities.yaml'));
    expect(await errorOf(() => runInit(root))).toMatchObject({ code: 'ERR_USAGE' });
    await runInit(root, { force: true });
    expect(lstatSync(join(root, 'capabilities.yaml')).isFile()).toBe(true);
    expect(() => lstatSync(target)).toThrow('ENOENT');
  });

  test('in a place that can’t be written', async () => {
    const error = await errorOf(() => runInit(tempDir(), { file: 'none/capabilities.yaml' }));
    expect(error).toMatchObject({
      code: 'ERR_USAGE',
      message: '"none/capabilities.yaml" can\'t be written (ENOENT)',
    });
  });
});
