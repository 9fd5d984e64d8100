/** What is known of CI systems: how each shows itself, and which of its variables say what. */

/** One variable for each system that env-ci knows, in its order; `CI` last, for those it doesn't. */
export const CI_VARIABLES: readonly string[] = [
  'APPVEYOR',
  'BUILD_BUILDURI',
  'bamboo_agentId',
  'BITBUCKET_BUILD_NUMBER',
  'BITRISE_IO',
  'BUDDY_WORKSPACE_ID',
  'BUILDKITE',
  'CIRCLECI',
  'CIRRUS_CI',
  'CF_PAGES',
  'CODEBUILD_BUILD_ID',
  'CF_BUILD_ID',
  'CI_NAME',
  'DRONE',
  'GITHUB_ACTIONS',
  'GITLAB_CI',
  'JENKINS_URL',
  'NETLIFY',
  'DISTELLI_APPNAME',
  'SAILCI',
  'SCREWDRIVER',
  'SCRUTINIZER',
  'SEMAPHORE',
  'SHIPPABLE',
  'TEAMCITY_VERSION',
  'TRAVIS',
  'VELA',
  'VERCEL',
  'NOW_GITHUB_DEPLOYMENT',
  'WERCKER_MAIN_PIPELINE_STARTED',
  'JB_SPACE_EXECUTION_NUMBER',
  'CI',
];

/** Files that env-ci would open by a path from the environment; what they add is not worth reading them. */
export const FILE_VARIABLES: ReadonlySet<string> = new Set([
  'GITHUB_EVENT_PATH',
  'TEAMCITY_BUILD_PROPERTIES_FILE',
]);

/** Who set off a run, by env-ci's name of the system. */
export const ACTOR_VARIABLES: Readonly<Record<string, string>> = {
  github: 'GITHUB_ACTOR',
  gitlab: 'GITLAB_USER_LOGIN',
  circleci: 'CIRCLE_USERNAME',
  azurePipelines: 'BUILD_REQUESTEDFOR',
  bitbucket: 'BITBUCKET_STEP_TRIGGERER_UUID',
  buildkite: 'BUILDKITE_BUILD_CREATOR',
  codebuild: 'CODEBUILD_INITIATOR',
  jenkins: 'BUILD_USER_ID',
};

/** Where a pull request comes from and where it goes; a difference means a fork, whose branch names prove nothing. */
export const ORIGIN_VARIABLES: readonly (readonly [string, string])[] = [
  ['CI_MERGE_REQUEST_SOURCE_PROJECT_PATH', 'CI_MERGE_REQUEST_PROJECT_PATH'],
  ['TRAVIS_PULL_REQUEST_SLUG', 'TRAVIS_REPO_SLUG'],
  ['APPVEYOR_PULL_REQUEST_HEAD_REPO_NAME', 'APPVEYOR_REPO_NAME'],
  ['SEMAPHORE_GIT_PR_SLUG', 'SEMAPHORE_GIT_REPO_SLUG'],
  ['BUILDKITE_PULL_REQUEST_REPO', 'BUILDKITE_REPO'],
  ['ghprbAuthorRepoGitUrl', 'GIT_URL'],
  ['gitlabSourceNamespace', 'gitlabTargetNamespace'],
];

/** Variables that say so by themselves. */
export const FORK_FLAGS: readonly string[] = ['SYSTEM_PULLREQUEST_ISFORK', 'CF_PULL_REQUEST_IS_FORK'];

/** Systems that make the name of a pull request's branch up themselves (`refs/pull/7/merge`), or tell forks apart. */
export const TELLS_FORKS: ReadonlySet<string> = new Set([
  'appveyor',
  'azurePipelines',
  'buildkite',
  'circleci',
  'cirrus',
  'codefresh',
  'github',
  'gitlab',
  'jenkins',
  'semaphore',
  'travis',
]);

/** Systems whose "slug" is the name of a build, not of a repository. */
export const NO_REPO: ReadonlySet<string> = new Set(['teamcity', 'bitrise', 'codeship']);
