/** The text of a starter map. It is valid as it stands, grants nothing outside this repository, and explains itself. */
import type { Fact } from '../request/facts.ts';

/** Names that need no quotes in YAML and hold nothing that a pattern would take for syntax. */
const PLAIN_REPO = /^[A-Za-z0-9][\w.-]*(?:\/[\w.-]+)+$/;
const PLAIN_BRANCH = /^[A-Za-z][\w.-]*(?:\/[\w.-]+)*$/;

/** The starter map for a repository. A repository that can't be told becomes a name that matches none. */
export function starterMap(git: { readonly repo: Fact; readonly branch: Fact }): string {
  const repo =
    git.repo.value !== null && PLAIN_REPO.test(git.repo.value) ? git.repo.value : 'OWNER/REPOSITORY';
  const branch = git.branch.value !== null && PLAIN_BRANCH.test(git.branch.value) ? git.branch.value : 'main';
  const branches = [...new Set([branch, 'main', 'feat/*'])].map((name) => JSON.stringify(name)).join(', ');
  return `# yaml-language-server: $schema=./capabilities.schema.json
# What may be asked for in this repository: capwrap run -c NAME -- COMMAND
# An agent names a capability; it never sees the credential behind it.
#
#   capwrap schema > capabilities.schema.json   the schema that the first line names, for editors
#   capwrap check                               validates this file and runs its tests
#   capwrap explain NAME -- COMMAND             shows how a request is decided; obtains nothing
#   capwrap trust                               pins this exact content; any other byte un-trusts it
version: 1

defaults:
  ttl: 15m
  env:
    # The child's environment is built from nothing: these variables, and what a capability adds.
    pass: [PATH, HOME, USER, LANG, TERM, TZ, TMPDIR, CI]

capabilities:
  # Works without any cloud account: a signed token that an internal service verifies (capwrap issuer init).
  read-artifacts:
    description: Fetch build artifacts from an internal service
    provider: local-issuer
    audience: artifact-proxy
    scope: ["artifacts:read"]
    # Variable of the child: value of the lease.
    inject: { ARTIFACTS_TOKEN: token }
    ttl: 5m
    rules:
      # The first allow that matches gives the terms; any deny that matches wins; no match is a deny.
      # Patterns: * stays within a path segment, ** crosses them.
      - allow: { repo: ${JSON.stringify(repo)}, branch: [${branches}] }
      - deny: { actor: "untrusted-*" }
    # An empty HOME that is removed afterwards: the child finds no standing credentials there.
    home: private
    # Checked by "capwrap check": what must be granted, and what must not.
    tests:
      - given: { repo: ${JSON.stringify(repo)}, branch: ${JSON.stringify(branch)} }
        expect: allow
      - given: { repo: somebody/fork, branch: ${JSON.stringify(branch)} }
        expect: deny

  # For AWS: take the # away and write your own account, role, bucket and base profile. The role that it needs:
  # capwrap init --aws-role publish-preview-build --principal ARN-OF-THE-BASE-IDENTITY
  #publish-preview-build:
  #  description: Upload a preview build
  #  provider: aws-sts
  #  role_arn: arn:aws:iam::123456789012:role/preview-deployer
  #  region: us-east-1
  #  # The proof shown to AWS. In GitHub Actions: { type: github-actions }
  #  source: { type: profile, profile: agent-base }
  #  # Becomes the session policy: the role may be wider, this credential is not.
  #  scope:
  #    - actions: [s3:PutObject]
  #      resources: ["arn:aws:s3:::acme-previews/*"]
  #  max_ttl: 30m
  #  rules:
  #    - allow: { repo: ${JSON.stringify(repo)}, branch: "feat/*", command: ./scripts/publish-preview.sh }
  #    - allow: { repo: ${JSON.stringify(repo)}, branch: main }
  #      approval: prompt
  #  justification: required
  #  home: private
  #  tests:
  #    - given: { repo: ${JSON.stringify(repo)}, branch: feat/x, command: [./scripts/publish-preview.sh] }
  #      expect: allow
  #    - given: { repo: ${JSON.stringify(repo)}, branch: feat/x, command: [./other.sh] }
  #      expect: deny
`;
}
