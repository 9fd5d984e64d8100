import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { readCi } from '../../src/request/ci.ts';
import { CI_VARIABLES } from '../../src/request/ci-systems.ts';
import { tempDir } from '../helpers/cli.ts';

const SHA = 'b'.repeat(40);
type Env = Readonly<Record<string, string>>;

const GITHUB: Env = {
  CI: 'true',
  GITHUB_ACTIONS: 'true',
  GITHUB_REPOSITORY: 'acme/web-app',
  GITHUB_REF: 'refs/heads/feat/x',
  GITHUB_SHA: SHA,
  GITHUB_RUN_ID: '4711',
  GITHUB_ACTOR: 'alice',
  GITHUB_EVENT_NAME: 'push',
};

async function values(env: Env) {
  const ci = await readCi(env);
  return ci && { repo: ci.repo.value, branch: ci.branch.value, commit: ci.commit.value, runId: ci.runId };
}

describe('what a CI claims', () => {
  it('is a claim, with the system that makes it', async () => {
    const ci = await readCi(GITHUB);
    expect(ci).toEqual({
      name: 'GitHub Actions',
      variable: 'GITHUB_ACTIONS',
      repo: { value: 'acme/web-app', source: 'claimed', from: 'GitHub Actions' },
      branch: { value: 'feat/x', source: 'claimed', from: 'GitHub Actions' },
      commit: { value: SHA, source: 'claimed', from: 'GitHub Actions' },
      runId: '4711',
      actor: { value: 'alice', variable: 'GITHUB_ACTOR' },
    });
  });

  const systems: readonly (readonly [string, Env, object])[] = [
    [
      'GitLab',
      {
        GITLAB_CI: 'true',
        CI_PROJECT_PATH: 'group/sub/app',
        CI_COMMIT_REF_NAME: 'main',
        CI_COMMIT_SHA: SHA,
        CI_PIPELINE_ID: '9',
      },
      { repo: 'group/sub/app', branch: 'main', commit: SHA, runId: '9' },
    ],
    [
      'CircleCI',
      {
        CIRCLECI: 'true',
        CIRCLE_PROJECT_USERNAME: 'acme',
        CIRCLE_PROJECT_REPONAME: 'app',
        CIRCLE_BRANCH: 'main',
        CIRCLE_SHA1: SHA,
        CIRCLE_BUILD_NUM: '3',
      },
      { repo: 'acme/app', branch: 'main', commit: SHA, runId: '3' },
    ],
    [
      'Buildkite',
      {
        BUILDKITE: 'true',
        BUILDKITE_REPO: 'git@github.com:acme/app.git',
        BUILDKITE_PULL_REQUEST: 'false',
        BUILDKITE_BRANCH: 'main',
        BUILDKITE_COMMIT: SHA,
        BUILDKITE_BUILD_NUMBER: '3',
      },
      { repo: 'acme/app', branch: 'main', commit: SHA, runId: '3' },
    ],
    [
      'a Jenkins change',
      { JENKINS_URL: 'https://j', BRANCH_NAME: 'PR-12', CHANGE_ID: '12', GIT_COMMIT: SHA, BUILD_NUMBER: '5' },
      { repo: null, branch: 'PR-12', commit: SHA, runId: '5' },
    ],
    [
      'a system that is silent on pull requests',
      {
        BITBUCKET_BUILD_NUMBER: '2',
        BITBUCKET_BRANCH: 'main',
        BITBUCKET_REPO_FULL_NAME: 'a/b',
        BITBUCKET_COMMIT: SHA,
      },
      { repo: 'a/b', branch: null, commit: SHA, runId: '2' },
    ],
    [
      'a system that env-ci would ask git for',
      { CODEBUILD_BUILD_ID: 'p:1' },
      { repo: null, branch: null, commit: null, runId: 'p:1' },
    ],
    ['missing variables', { CIRCLECI: '1' }, { repo: null, branch: null, commit: null, runId: null }],
    ['a library that stumbles', { NETLIFY: 'true' }, { repo: null, branch: null, commit: null, runId: null }],
    ['nothing but CI', { CI: '1' }, { repo: null, branch: null, commit: null, runId: null }],
    [
      'a build name that is no repository',
      { TEAMCITY_VERSION: '1', TEAMCITY_BUILDCONF_NAME: 'a/b' },
      { repo: null, branch: null, commit: null, runId: null },
    ],
    [
      'control characters',
      { ...GITHUB, GITHUB_REPOSITORY: 'a/b\u001b[2J', GITHUB_REF: 'refs/heads/x\ny', GITHUB_RUN_ID: '\n' },
      { repo: null, branch: null, commit: null, runId: null },
    ],
    [
      'endless values',
      { ...GITHUB, GITHUB_REF: `refs/heads/${'x'.repeat(5000)}`, GITHUB_SHA: 'x' },
      { repo: 'acme/web-app', branch: null, commit: null, runId: '4711' },
    ],
  ];
  test.each(systems)('%s', async (_name, env, expected) => {
    expect(await values(env)).toEqual(expected);
  });

  it.each([{}, { CI: '' }, { CI: 'false' }, { CI: '0', GITHUB_ACTIONS: 'false' }])(
    'is nothing with %j',
    async (env) => {
      expect(await readCi(env)).toBeNull();
    },
  );

  it('knows a variable of each system that env-ci knows', () => {
    const folder = join(dirname(createRequire(import.meta.url).resolve('env-ci')), 'services');
    const files = readdirSync(folder).filter((name) => name !== 'git.js');
    expect(files.length).toBeGreaterThan(25);
    for (const file of files) {
      const detect =
        /detect\([^)]*\)\s*\{([^}]*)\}/.exec(readFileSync(join(folder, file), 'utf8'))?.[1] ?? '';
      const names = [...detect.matchAll(/env\.(\w+)/g)].map(([, name]) => name);
      expect(names.length, file).toBeGreaterThan(0);
      for (const name of names) expect(CI_VARIABLES, file).toContain(name);
    }
  });
});

describe('the branch of a pull request', () => {
  const requests: readonly (readonly [string, Env, string | RegExp])[] = [
    [
      'GitHub',
      {
        ...GITHUB,
        GITHUB_EVENT_NAME: 'pull_request',
        GITHUB_REF: 'refs/pull/7/merge',
        GITHUB_HEAD_REF: 'main',
        GITHUB_BASE_REF: 'main',
      },
      'refs/pull/7/merge',
    ],
    [
      "GitHub, with the target's rights",
      { ...GITHUB, GITHUB_EVENT_NAME: 'pull_request_target', GITHUB_REF: 'refs/heads/main' },
      /does not name it/,
    ],
    ['a tag on GitHub', { ...GITHUB, GITHUB_REF: 'refs/tags/main' }, /builds a tag/],
    [
      'a tag on GitLab',
      { GITLAB_CI: '1', CI_COMMIT_TAG: 'main', CI_COMMIT_REF_NAME: 'main' },
      /builds a tag/,
    ],
    [
      'GitLab',
      {
        GITLAB_CI: '1',
        CI_MERGE_REQUEST_ID: '1',
        CI_MERGE_REQUEST_SOURCE_BRANCH_NAME: 'feat/x',
        CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main',
      },
      'feat/x',
    ],
    [
      'a namesake of its target',
      {
        GITLAB_CI: '1',
        CI_MERGE_REQUEST_ID: '1',
        CI_MERGE_REQUEST_SOURCE_BRANCH_NAME: 'main',
        CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main',
      },
      /named like the one it goes to/,
    ],
    [
      'a fork on GitLab',
      {
        GITLAB_CI: '1',
        CI_MERGE_REQUEST_ID: '1',
        CI_MERGE_REQUEST_SOURCE_BRANCH_NAME: 'release',
        CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main',
        CI_MERGE_REQUEST_SOURCE_PROJECT_PATH: 'evil/app',
        CI_MERGE_REQUEST_PROJECT_PATH: 'acme/app',
      },
      /from another repository/,
    ],
    [
      'a fork on Travis',
      {
        TRAVIS: '1',
        TRAVIS_PULL_REQUEST: '3',
        TRAVIS_BRANCH: 'main',
        TRAVIS_PULL_REQUEST_BRANCH: 'release',
        TRAVIS_PULL_REQUEST_SLUG: 'evil/app',
        TRAVIS_REPO_SLUG: 'acme/app',
      },
      /from another repository/,
    ],
    [
      'Travis',
      {
        TRAVIS: '1',
        TRAVIS_PULL_REQUEST: '3',
        TRAVIS_BRANCH: 'main',
        TRAVIS_PULL_REQUEST_BRANCH: 'feat/x',
        TRAVIS_PULL_REQUEST_SLUG: 'acme/app',
        TRAVIS_REPO_SLUG: 'acme/app',
      },
      'feat/x',
    ],
    [
      'a fork on Azure',
      {
        BUILD_BUILDURI: 'x',
        SYSTEM_PULLREQUEST_PULLREQUESTID: '1',
        SYSTEM_PULLREQUEST_SOURCEBRANCH: 'refs/heads/release',
        SYSTEM_PULLREQUEST_TARGETBRANCH: 'main',
        SYSTEM_PULLREQUEST_ISFORK: 'True',
      },
      /from another repository/,
    ],
    [
      'the same repository by two URLs',
      {
        BUILDKITE: '1',
        BUILDKITE_PULL_REQUEST: '1',
        BUILDKITE_PULL_REQUEST_BASE_BRANCH: 'main',
        BUILDKITE_BRANCH: 'feat/x',
        BUILDKITE_PULL_REQUEST_REPO: 'git://github.com/acme/app.git',
        BUILDKITE_REPO: 'git@github.com:acme/app.git',
      },
      'feat/x',
    ],
    [
      'a system that does not tell forks apart',
      {
        DRONE: '1',
        DRONE_BUILD_EVENT: 'pull_request',
        DRONE_SOURCE_BRANCH: 'release',
        DRONE_TARGET_BRANCH: 'main',
      },
      /does not tell pull requests of forks apart/,
    ],
  ];
  test.each(requests)('%s', async (_name, env, expected) => {
    const branch = (await readCi(env))?.branch;
    if (typeof expected === 'string') expect(branch?.value).toBe(expected);
    else
      expect(branch).toMatchObject({ value: null, source: 'unknown', from: expect.stringMatching(expected) });
  });

  it('is not learnt from a file, so that neither rubbish nor a FIFO there matters', async () => {
    const fifo = join(tempDir(), 'event.json');
    execFileSync('mkfifo', [fifo]);
    const env = {
      ...GITHUB,
      GITHUB_EVENT_NAME: 'pull_request',
      GITHUB_REF: 'refs/pull/7/merge',
      GITHUB_EVENT_PATH: fifo,
    };
    expect((await readCi(env))?.branch.value).toBe('refs/pull/7/merge');
  });
});
