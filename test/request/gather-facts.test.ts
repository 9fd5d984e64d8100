import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { osUser } from '../../src/base/os-user.ts';
import { detectAgent } from '../../src/request/actor.ts';
import { FACT_NAMES } from '../../src/request/facts.ts';
import { gatherFacts } from '../../src/request/gather-facts.ts';
import { tempDir } from '../helpers/cli.ts';
import { ambientOf } from '../policy/ambient.ts';
import { fakeGitDir, HAS_GIT, makeRepo, put, UID } from './git-fixture.ts';

const SHA = 'c'.repeat(40);
const OTHER = 'd'.repeat(40);

/** A work tree written by hand; `branch` null detaches HEAD. */
function workTree(
  branch: string | null = 'main',
  url: string | null = 'git@github.com:acme/app.git',
): string {
  const top = tempDir();
  fakeGitDir(join(top, '.git'), {
    HEAD: branch === null ? `${SHA}\n` : `ref: refs/heads/${branch}\n`,
    ...(branch === null ? {} : { [`refs/heads/${branch}`]: SHA }),
    config: url === null ? '' : `[remote "origin"]\nurl = ${url}\n`,
  });
  return top;
}

function gather(
  cwd: string,
  env: Readonly<Record<string, string>> = {},
  claims = {},
  wantCommitClean = false,
) {
  return gatherFacts(ambientOf({ cwd, env: { HOME: cwd, ...env } }), { wantCommitClean, ...claims });
}

const GITHUB = {
  GITHUB_ACTIONS: 'true',
  GITHUB_REPOSITORY: 'acme/claimed',
  GITHUB_REF: 'refs/heads/feat/claimed',
  GITHUB_SHA: SHA,
  GITHUB_RUN_ID: '4711',
  GITHUB_ACTOR: 'alice',
};

describe('facts', () => {
  it('are all there, each with its source', async () => {
    const top = workTree();
    const { facts, taskId, workTree: found } = await gather(top);
    expect(Object.keys(facts).sort()).toEqual([...FACT_NAMES].sort());
    expect(found).toBe(top);
    expect(facts.repo).toMatchObject({ value: 'acme/app', source: 'observed' });
    expect(facts.branch).toMatchObject({ value: 'main', source: 'observed' });
    expect(facts.commit).toMatchObject({ value: SHA, source: 'observed' });
    expect(facts.ci).toEqual({ value: 'false', source: 'claimed', from: 'no CI variable is set' });
    expect(facts.actor).toEqual({ value: osUser(UID), source: 'observed', from: 'operating system' });
    expect(facts.environment).toMatchObject({ value: null, source: 'unknown' });
    expect(facts.commit_clean).toEqual({ value: null, source: 'unknown', from: 'no rule asks for it' });
    expect(taskId).toMatch(/^task-[0-9a-f]{8}$/);
    expect((await gather(top)).taskId).not.toBe(taskId);
  });

  it('say whether the commit is clean where a rule asks', async (context) => {
    if (!HAS_GIT) return context.skip('git is not installed');
    const repo = makeRepo(join(tempDir(), 'r'));
    expect((await gather(repo, {}, {}, true)).facts.commit_clean).toMatchObject({
      value: 'true',
      source: 'observed',
    });
    put(repo, 'new.txt');
    expect((await gather(repo, {}, {}, true)).facts.commit_clean).toEqual({
      value: 'false',
      source: 'observed',
      from: 'untracked: new.txt',
    });
  });

  it('read nothing of git from variables', async () => {
    const other = workTree('other', 'h:evil/app');
    const env = {
      GIT_DIR: join(other, '.git'),
      GIT_WORK_TREE: other,
      GIT_CONFIG_GLOBAL: join(other, '.git/config'),
    };
    const { facts } = await gather(workTree(), env);
    expect([facts.repo.value, facts.branch.value]).toEqual(['acme/app', 'main']);
  });
});

describe('beside a CI', () => {
  it('what git shows wins, and a claim that disagrees is noted', async () => {
    const { facts } = await gather(workTree(), GITHUB);
    expect(facts.repo).toEqual({
      value: 'acme/app',
      source: 'observed',
      from: 'remote "origin" in .git/config (github.com) (GitHub Actions says "acme/claimed")',
    });
    expect(facts.branch).toMatchObject({
      value: 'main',
      from: '.git/HEAD (GitHub Actions says "feat/claimed")',
    });
    expect(facts.commit.from).toBe('.git/refs/heads/main');
    expect(facts.ci).toEqual({ value: 'true', source: 'claimed', from: 'GITHUB_ACTIONS' });
  });

  it('claims fill in what git cannot tell', async () => {
    const { facts, taskId } = await gather(workTree(null, null), GITHUB);
    expect(facts.repo).toEqual({ value: 'acme/claimed', source: 'claimed', from: 'GitHub Actions' });
    expect(facts.branch).toEqual({ value: 'feat/claimed', source: 'claimed', from: 'GitHub Actions' });
    expect(facts.commit.source).toBe('observed');
    expect(taskId).toBe('4711');
  });

  it('claims about another commit fill in nothing', async () => {
    const { facts } = await gather(workTree(null, null), { ...GITHUB, GITHUB_SHA: OTHER });
    expect(facts.repo).toEqual({
      value: null,
      source: 'unknown',
      from: '.git/config names no remote; GitHub Actions speaks of another commit',
    });
    expect(facts.branch.value).toBeNull();
    expect(facts.commit).toMatchObject({ value: SHA, source: 'observed' });
  });

  it('claims stand alone outside of a work tree', async () => {
    const { facts, workTree: found } = await gather(tempDir(), GITHUB);
    expect(found).toBeNull();
    expect([facts.repo, facts.branch, facts.commit].map(({ source }) => source)).toEqual([
      'claimed',
      'claimed',
      'claimed',
    ]);
  });
});

describe('the actor', () => {
  const agent = { CLAUDECODE: '1' };
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, object, object])[] = [
    [
      'the flag',
      { CAPWRAP_ACTOR: 'b', ...agent },
      { actor: 'a' },
      { value: 'a', source: 'claimed', from: '--actor' },
    ],
    [
      'the variable',
      { CAPWRAP_ACTOR: 'b', ...agent },
      {},
      { value: 'b', source: 'claimed', from: 'CAPWRAP_ACTOR' },
    ],
    ['an empty variable', { CAPWRAP_ACTOR: '', ...agent }, {}, { value: 'claude-code' }],
    [
      'the agent',
      { ...agent, ...GITHUB },
      {},
      { value: 'claude-code', source: 'claimed', from: 'variables of Claude Code' },
    ],
    ['the CI', GITHUB, {}, { value: 'alice', source: 'claimed', from: 'GITHUB_ACTOR' }],
    ['the user, in an editor that is no agent', { TERM_PROGRAM: 'WarpTerminal' }, {}, { source: 'observed' }],
  ];
  test.each(cases)('is %s', async (_name, env, claims, expected) => {
    expect((await gather(tempDir(), env, claims)).facts.actor).toMatchObject(expected);
  });

  it('is known for the agents that set a variable', async () => {
    expect(await detectAgent({ CODEX_THREAD_ID: 'x' })).toEqual({ id: 'codex', name: 'OpenAI Codex' });
    expect(await detectAgent({ CURSOR_TRACE_ID: 'x', PAGER: 'head -n 10000 | cat' })).toMatchObject({
      id: 'cursor-agent',
    });
    expect(await detectAgent({ CURSOR_TRACE_ID: 'x' })).toBeNull();
    expect(await detectAgent({})).toBeNull();
  });

  it('is a number where the user has no name', () => {
    expect(osUser(userInfo().uid + 100_000)).toBe(`uid:${userInfo().uid + 100_000}`);
  });
});

describe('claims', () => {
  it('come from flags, else from variables', async () => {
    const env = { CAPWRAP_ENVIRONMENT: 'staging', CAPWRAP_TASK_ID: 'T-1' };
    const both = await gather(tempDir(), env, { environment: 'preview', taskId: 'T-2' });
    expect(both.facts.environment).toEqual({ value: 'preview', source: 'claimed', from: '--environment' });
    expect(both.taskId).toBe('T-2');
    const one = await gather(tempDir(), { ...env, ...GITHUB });
    expect(one.facts.environment).toEqual({
      value: 'staging',
      source: 'claimed',
      from: 'CAPWRAP_ENVIRONMENT',
    });
    expect(one.taskId).toBe('T-1');
  });

  const bad: readonly (readonly [object, Readonly<Record<string, string>>, string])[] = [
    [{ actor: '' }, {}, '"--actor" is empty'],
    [{ actor: 'a\nb' }, {}, '"--actor" contains control characters'],
    [{ taskId: 'x'.repeat(257) }, {}, '"--task-id" is longer than 256 characters'],
    [{ environment: 'a\u2028b' }, {}, '"--environment" contains control characters'],
    [{}, { CAPWRAP_ACTOR: '\u001b[2J' }, '"CAPWRAP_ACTOR" contains control characters'],
    [{}, { CAPWRAP_TASK_ID: '\u009b' }, '"CAPWRAP_TASK_ID" contains control characters'],
    [{}, { CAPWRAP_ENVIRONMENT: 'x'.repeat(257) }, '"CAPWRAP_ENVIRONMENT" is longer than 256 characters'],
  ];
  test.each(bad)('refuses %j %j', async (claims, env, message) => {
    await expect(gather(tempDir(), env, claims)).rejects.toMatchObject({ code: 'ERR_USAGE', message });
  });
});
