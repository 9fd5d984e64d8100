/** `check --against` on real files and repositories that the real git has made. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NO_LAUNCHER } from '../../src/base/launch.ts';
import { type CheckAgainstOptions, checkAgainst } from '../../src/commands/check-against.ts';
import { tempDir } from '../helpers/cli.ts';
import { git, HAS_GIT, makeRepo, put } from '../request/git-fixture.ts';
import { keptContext } from './command-context.ts';

const MAP = `version: 1
capabilities:
  read:
    provider: local-issuer
    audience: a
    scope: [x]
    rules: [{allow: {repo: acme/x, command: ./x.sh}}]
`;
const WIDER = MAP.replace('[x]', '[x, y]');
const NARROWER = MAP.replace('repo: acme/x', 'repo: acme/x, branch: main');
const FAULTY = MAP.replace('[x]', 'x');
const NAME = 'capabilities.yaml';

async function run(cwd: string, options: Partial<CheckAgainstOptions> = {}) {
  const ambient = {
    env: { HOME: cwd, CAPWRAP_HOME: join(cwd, 'no-state') },
    cwd,
    uid: process.getuid?.() ?? -1,
    gid: process.getgid?.() ?? -1,
    pid: process.pid,
    platform: process.platform,
    launch: NO_LAUNCHER,
  };
  const { context, text } = keptContext(ambient);
  const status = await checkAgainst(context, { format: 'text', against: 'old.yaml', ...options });
  return { status, out: text() };
}

function folderWith(older: string, newer: string): string {
  const folder = tempDir();
  put(folder, 'old.yaml', older);
  put(folder, NAME, newer);
  return folder;
}

describe('check --against FILE', () => {
  it.each<[string, string, CheckAgainstOptions['failOn'], number]>([
    [MAP, WIDER, undefined, 1],
    [MAP, WIDER, 'any', 1],
    [MAP, WIDER, 'never', 0],
    [WIDER, MAP, undefined, 0],
    [WIDER, MAP, 'any', 1],
    [MAP, NARROWER, undefined, 0],
    [MAP, `# the same\n${MAP}`, 'any', 0],
    [MAP, FAULTY, 'never', 1],
  ])('answers by severity (%#)', async (older, newer, failOn, status) => {
    expect((await run(folderWith(older, newer), { failOn })).status).toBe(status);
  });

  it('prints what widens, and a summary', async () => {
    expect(await run(folderWith(MAP, WIDER))).toEqual({
      status: 1,
      out: `WIDENS   "capabilities.read.scope" allows what was not allowed before
           was (none)
           is  y
capabilities.yaml against old.yaml: 1 widening, 0 narrowing, 0 other
`,
    });
    expect((await run(folderWith(MAP, `${MAP}\n`))).out).toBe(
      'capabilities.yaml against old.yaml: nothing that counts has changed\n',
    );
  });

  it('prints one JSON object, with lines of the newer map', async () => {
    const { out } = await run(folderWith(MAP, WIDER), { format: 'json' });
    expect(JSON.parse(out)).toMatchObject({
      schema_version: 1,
      file: NAME,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      against: { name: 'old.yaml', commit: null, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      widens: true,
      failed: true,
      changes: [{ kind: 'widening', code: 'scope_added', line: 6, column: 12, before: null, after: 'y' }],
    });
  });

  it('prints an annotation for each widening that nothing in the map can break out of', async () => {
    const newer = WIDER.replace('audience: a', "audience: 'a%::error::b'").replace(
      'scope:',
      'ttl: 1m\n    scope:',
    );
    const { out } = await run(folderWith(MAP, newer), { format: 'github', failOn: 'never' });
    expect(out.trimEnd().split('\n')).toEqual([
      '::warning file=capabilities.yaml,line=5,col=15,title=widening%3A audience::"capabilities.read.audience" is another one%0Awas a%0Ais a%25::error::b',
      '::warning file=capabilities.yaml,line=7,col=12,title=widening%3A scope_added::"capabilities.read.scope" allows what was not allowed before%0Awas (none)%0Ais y',
    ]);
    expect((await run(folderWith(MAP, WIDER), { format: 'github' })).out).toMatch(/^::error file=/);
  });

  it('resolves the relative paths of both against the folder of the newer one', async () => {
    const folder = folderWith(MAP, MAP);
    put(folder, 'other/map.yaml', MAP);
    expect((await run(folder, { against: 'other/map.yaml', failOn: 'any' })).status).toBe(0);
  });

  it.each([
    ['an older map with faults', { against: 'old.yaml' }, 'ERR_MAP_INVALID'],
    ['no name', { against: '' }, 'ERR_USAGE'],
    ['nothing to compare with', { against: undefined, failOn: 'any' as const }, 'ERR_USAGE'],
    ['neither a file nor a repository', { against: 'main' }, 'ERR_MAP_NOT_FOUND'],
  ])('refuses %s', async (_, options, code) => {
    await expect(run(folderWith(FAULTY, MAP), options)).rejects.toMatchObject({ code });
  });
});

describe.skipIf(!HAS_GIT)('check --against REF', () => {
  let made = '';

  beforeAll(() => {
    made = mkdtempSync(join(tmpdir(), 'capwrap-test-'));
    makeTemplate(join(made, 'repo'));
  });
  afterAll(() => rmSync(made, { recursive: true }));

  /** Made once and copied. */
  function repository(): string {
    const folder = tempDir();
    cpSync(made, folder, { recursive: true });
    return join(folder, 'repo');
  }

  /** `main` has the map, `wide` a wider one that is tagged `v1`, and the first commit none. The file is MAP. */
  function makeTemplate(folder: string): void {
    makeRepo(folder);
    put(folder, NAME, MAP);
    git(folder, 'add', '-A');
    git(folder, 'commit', '-q', '-m', 'map');
    git(folder, 'checkout', '-q', '-b', 'feat/wide');
    put(folder, NAME, WIDER);
    git(folder, 'commit', '-q', '-am', 'wider');
    git(folder, 'tag', '-a', 'v1', '-m', 'v1');
    git(folder, 'update-ref', 'refs/remotes/origin/main', 'main');
    git(folder, 'symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/main');
  }

  const NAMES: readonly [name: string, same: string][] = [
    ['HEAD', 'HEAD'],
    ['@', 'HEAD'],
    ['HEAD~1', 'HEAD~1'],
    ['HEAD^', 'HEAD~1'],
    ['HEAD^^', 'HEAD~2'],
    ['HEAD~2^0', 'HEAD~2'],
    ['main', 'main'],
    ['feat/wide', 'feat/wide'],
    ['refs/heads/main', 'main'],
    ['origin/main', 'main'],
    ['origin', 'main'],
    ['v1', 'feat/wide'],
    ['v1~1', 'main'],
  ];

  /** What the names stand for, by git, which is asked once. */
  function commitsOf(folder: string, names: readonly string[]): string[] {
    return git(folder, 'rev-parse', ...names.map((name) => `${name}^{commit}`)).split('\n');
  }

  async function expectNames(folder: string): Promise<void> {
    const [main = '', wide = '', first = ''] = commitsOf(folder, ['main', 'feat/wide', 'main~1']);
    const hashes = [main, wide].flatMap((hash): [string, string][] => [
      [hash, hash],
      [hash.slice(0, 8), hash],
      [hash.slice(0, 12).toUpperCase(), hash],
    ]);
    const names = [...NAMES, ...hashes];
    const commits = commitsOf(
      folder,
      names.map(([, same]) => same),
    );
    for (const [index, [name]] of names.entries()) {
      const { out } = await run(folder, { against: name, format: 'json' });
      const { against, changes } = JSON.parse(out);
      expect([name, against.commit]).toEqual([name, commits[index]]);
      const kinds = changes.map(({ code, kind }: { code: string; kind: string }) => `${kind} ${code}`);
      const expected = { [wide]: [], [first]: ['widening capability_added'] }[against.commit as string];
      expect([name, kinds]).toEqual([name, expected ?? ['widening scope_added']]);
    }
  }

  it('finds a commit by each of its names', async () => {
    await expectNames(repository());
  });

  it('finds it in packs and packed refs, and from a linked work tree', async () => {
    const folder = repository();
    git(folder, 'gc', '-q');
    git(folder, 'pack-refs', '--all');
    await expectNames(folder);
    git(folder, 'worktree', 'add', '-q', '--detach', '../linked', 'v1');
    await expectNames(join(folder, '..', 'linked'));
  });

  it('follows the parents of a merge', async () => {
    const folder = repository();
    git(folder, 'checkout', '-q', 'main');
    git(folder, 'merge', '-q', '--no-ff', '--no-edit', 'feat/wide');
    const { out } = await run(folder, { against: 'HEAD^2', format: 'json' });
    expect(JSON.parse(out).against.commit).toBe(git(folder, 'rev-parse', 'feat/wide'));
  });

  it('takes a map in a subfolder, and says where a commit has none', async () => {
    const folder = repository();
    put(folder, `a/b/${NAME}`, MAP);
    git(folder, 'add', '-A');
    git(folder, 'commit', '-q', '-m', 'deep');
    const deep = join(folder, 'a', 'b');
    expect((await run(deep, { against: 'HEAD' })).status).toBe(0);
    expect(await run(deep, { against: 'v1' })).toMatchObject({
      status: 1,
      out: expect.stringMatching(/against v1 \([0-9a-f]{12}\), which has no map there: 1 widening/),
    });
  });

  it.each([
    ['nothing', 'nowhere', 'ERR_MAP_NOT_FOUND'],
    ['a parent that is not there', 'HEAD~9', 'ERR_MAP_NOT_FOUND'],
    ['a way out of the refs', '../../no-such-file-there', 'ERR_MAP_NOT_FOUND'],
    ['a hash that is not there', '1'.repeat(40), 'ERR_MAP_UNREADABLE'],
    ['a version with faults', 'faulty', 'ERR_MAP_INVALID'],
    ['a link', 'link', 'ERR_MAP_UNREADABLE'],
  ])('refuses %s', async (_, name, code) => {
    const folder = repository();
    git(folder, 'checkout', '-q', '-b', 'faulty');
    put(folder, NAME, FAULTY);
    git(folder, 'commit', '-q', '-am', 'faulty');
    git(folder, 'checkout', '-q', '-b', 'link');
    rmSync(join(folder, NAME));
    git(folder, 'config', 'core.symlinks', 'true');
    const blob = git(folder, 'hash-object', '-w', 'a.txt');
    git(folder, 'update-index', '--cacheinfo', `120000,${blob},${NAME}`);
    git(folder, 'commit', '-q', '-m', 'link');
    put(folder, NAME, MAP);
    await expect(run(folder, { against: name })).rejects.toMatchObject({ code });
  });

  it.each<[string, (folder: string) => void]>([
    ['loose', () => {}],
    ['packed', (folder) => git(folder, 'gc', '-q')],
    [
      'made from another one in a pack, by its place',
      (folder) => {
        git(folder, 'repack', '-adfq', '--depth=9', '--window=9');
        expect(git(folder, 'cat-file', '--batch-all-objects', '--batch-check=%(deltabase)')).toMatch(
          /[1-9a-f]/,
        );
      },
    ],
    [
      'made from another one in a pack, by its name',
      (folder) => git(folder, '-c', 'repack.useDeltaBaseOffset=false', 'repack', '-adfq', '--window=9'),
    ],
  ])('says of a version that is too large how large it may be: %s', async (_, pack) => {
    const folder = repository();
    const lines = Array.from({ length: 60_000 }, (_none, at) => `# line ${at} of many`).join('\n');
    for (const more of ['', '\n# and one more']) {
      put(folder, NAME, lines + more);
      git(folder, 'commit', '-q', '-am', 'large');
    }
    put(folder, NAME, MAP);
    pack(folder);
    for (const name of ['HEAD', 'HEAD~1']) {
      await expect(run(folder, { against: name })).rejects.toMatchObject({
        code: 'ERR_MAP_INVALID',
        message: `"${name}:${NAME}" is larger than 1048576 bytes`,
      });
    }
  });

  it('inflates no more than that, whatever an object says of its size', async () => {
    const folder = repository();
    const bomb = 'b0'.repeat(20);
    const head = Buffer.from('blob 12\0');
    const bytes = deflateSync(Buffer.concat([head, Buffer.alloc(32 * 1024 * 1024)]));
    mkdirSync(join(folder, '.git', 'objects', 'b0'), { recursive: true });
    writeFileSync(join(folder, '.git', 'objects', 'b0', bomb.slice(2)), bytes);
    git(folder, 'update-index', '--cacheinfo', `100644,${bomb},${NAME}`);
    const tree = git(folder, 'write-tree', '--missing-ok');
    const commit = git(folder, 'commit-tree', tree, '-m', 'bomb');
    await expect(run(folder, { against: commit })).rejects.toMatchObject({
      code: 'ERR_MAP_INVALID',
      message: `"${commit}:${NAME}" is larger than 1048576 bytes`,
    });
  });

  it.each([
    ['origin/main', 'refs/tags/origin/main, refs/remotes/origin/main'],
    ['feat/wide', 'refs/tags/feat/wide, refs/heads/feat/wide'],
  ])('is not held against a tag in the place of %s', async (name, refs) => {
    const folder = repository();
    git(folder, 'tag', name, 'main~1');
    await expect(run(folder, { against: name })).rejects.toMatchObject({
      code: 'ERR_MAP_UNREADABLE',
      message: expect.stringContaining(`"${name}" stands for more than one: ${refs}; write it in full`),
    });
  });

  it('takes a full hash for itself, whatever is called like it, and a part of one only where nothing is', async () => {
    const folder = repository();
    const main = git(folder, 'rev-parse', 'main');
    git(folder, 'update-ref', `refs/tags/${main}`, 'feat/wide');
    git(folder, 'update-ref', `refs/tags/${main.slice(0, 9)}`, 'feat/wide');
    const { out } = await run(folder, { against: main, format: 'json' });
    expect(JSON.parse(out).against.commit).toBe(main);
    await expect(run(folder, { against: main.slice(0, 9) })).rejects.toMatchObject({
      code: 'ERR_MAP_UNREADABLE',
    });
  });

  it('says of a name that is too long for a file that nothing is called so', async () => {
    await expect(run(repository(), { against: 'x'.repeat(300) })).rejects.toMatchObject({
      code: 'ERR_MAP_NOT_FOUND',
    });
  });

  it('is not held against a file that the change itself brought under the name of the branch', async () => {
    const folder = repository();
    put(folder, 'origin/main', WIDER);
    await expect(run(folder, { against: 'origin/main' })).rejects.toMatchObject({
      code: 'ERR_USAGE',
      hint: 'write ./origin/main for the file, origin/main~0 for the commit',
    });
    expect((await run(folder, { against: 'origin/main~0' })).status).toBe(1);
    expect((await run(folder, { against: './origin/main' })).status).toBe(0);
  });

  it('takes no option for a commit', async () => {
    await expect(run(repository(), { against: '--format' })).rejects.toMatchObject({
      code: 'ERR_USAGE',
      message: '"--against" needs a commit or a file, and "--format" is an option',
    });
  });

  it('starts nothing: a repository whose config would run a program is only read', async () => {
    const folder = repository();
    const mark = join(folder, 'ran');
    git(folder, 'config', 'core.fsmonitor', `touch ${mark}; false`);
    expect((await run(folder, { against: 'main' })).status).toBe(1);
    mkdirSync(join(folder, 'docs'));
    git(folder, 'branch', 'docs', 'main');
    expect((await run(folder, { against: 'docs' })).status).toBe(1); // a folder is no file to compare with
    expect(() => writeFileSync(mark, '', { flag: 'wx' })).not.toThrow();
  });
});
