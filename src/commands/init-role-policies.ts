/** The IAM policies of the role that an `aws-sts` capability needs, and no more than it needs. */
import { HEAD_MARK } from '../audit/anchor/head.ts';
import type { Capability } from '../policy/capability.ts';
import { AUDIT_HEAD, type AwsStsConfig } from '../policy/providers/aws-sts.ts';

export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Principal?: Readonly<Record<string, string>>;
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

/** What the role may do: the capability's scope. Each session is cut down to it again, and to its time. */
export function permissionPolicy(config: AwsStsConfig): PolicyDocument {
  return document(
    config.scope.map(({ actions, resources }, index) => ({
      Sid: `Scope${index}`,
      Effect: 'Allow',
      Action: oneOrMany(actions),
      Resource: oneOrMany(resources),
    })),
  );
}

/**
 * Who may assume the role with keys. Tags and source identity are statements of their own, as AWS documents them:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required
 */
export function keyTrustPolicy(config: AwsStsConfig, principal: string): PolicyDocument {
  const who = { Effect: 'Allow', Principal: { AWS: principal } } as const;
  const tags = Object.entries(config.sessionTags);
  const statements: Statement[] = [
    {
      Sid: 'Assume',
      ...who,
      Action: 'sts:AssumeRole',
      Condition: {
        StringLike: { 'sts:RoleSessionName': 'agent-*' },
        ...(config.externalId !== null && { StringEquals: { 'sts:ExternalId': config.externalId } }),
      },
    },
  ];
  if (tags.length > 0) {
    statements.push({
      Sid: 'Tag',
      ...who,
      Action: 'sts:TagSession',
      Condition: {
        ...tagConditions(tags),
        'ForAllValues:StringEquals': { 'aws:TagKeys': tags.map(([key]) => key) },
      },
    });
  }
  if (config.sourceIdentity !== null) {
    statements.push({
      Sid: 'SourceIdentity',
      ...who,
      Action: 'sts:SetSourceIdentity',
      Condition: { StringEquals: { 'sts:SourceIdentity': config.sourceIdentity } },
    });
  }
  return document(statements);
}

/** Exact values, but for the head of the audit log, which is another one each time. */
function tagConditions(tags: readonly (readonly [key: string, value: string])[]): Statement['Condition'] {
  const heads = tags.filter(([, value]) => value === AUDIT_HEAD);
  const exact = tags.filter(([, value]) => value !== AUDIT_HEAD);
  return {
    ...(exact.length > 0 && { StringEquals: tagValues(exact) }),
    ...(heads.length > 0 && { StringLike: tagValues(heads.map(([key]) => [key, `${HEAD_MARK}*`])) }),
  };
}

function tagValues(
  tags: readonly (readonly [key: string, value: string])[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(tags.map(([key, value]) => [`aws:RequestTag/${key}`, value]));
}

/** What a caller of another account needs in its own policy beside the role's trust. */
export function callerPolicy(config: AwsStsConfig): PolicyDocument {
  const actions = [
    'sts:AssumeRole',
    ...(Object.keys(config.sessionTags).length > 0 ? ['sts:TagSession'] : []),
    ...(config.sourceIdentity !== null ? ['sts:SetSourceIdentity'] : []),
  ];
  return document([{ Sid: 'Assume', Effect: 'Allow', Action: oneOrMany(actions), Resource: config.roleArn }]);
}

/** Who may assume the role with a token of an OIDC provider. `subjects` may hold IAM's `*`. */
export function tokenTrustPolicy(options: {
  readonly partition: string;
  readonly account: string;
  /** Host and path of the issuer, without the scheme. */
  readonly provider: string;
  readonly audience: string;
  readonly subjects: readonly string[];
}): PolicyDocument {
  const { partition, account, provider, audience, subjects } = options;
  const exact = !subjects.some((subject) => /[*?]/.test(subject));
  const subject = { [`${provider}:sub`]: oneOrMany(subjects) };
  return document([
    {
      Sid: 'AssumeWithToken',
      Effect: 'Allow',
      Principal: { Federated: `arn:${partition}:iam::${account}:oidc-provider/${provider}` },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: {
        StringEquals: { [`${provider}:aud`]: audience, ...(exact && subject) },
        StringLike: { 'sts:RoleSessionName': 'agent-*', ...(!exact && subject) },
      },
    },
  ]);
}

/**
 * The subjects of GitHub's tokens that the allow rules of a capability speak of; null where a rule names no
 * repository, because its role would then trust every repository there is. IAM's `*` crosses `/`, so it can be wider
 * than the map's, which stays the narrower one. https://docs.github.com/actions/reference/security/oidc
 */
export function githubSubjects(capability: Capability): readonly string[] | null {
  const allowed = capability.rules.filter((rule) => rule.effect === 'allow');
  if (allowed.length === 0 || allowed.some(({ when }) => !when.repo)) return null;
  const subjects = allowed.flatMap(({ when }) =>
    (when.repo ?? []).flatMap((repo) =>
      when.branch
        ? when.branch.map((branch) => `repo:${iamPattern(repo)}:ref:refs/heads/${iamPattern(branch)}`)
        : [`repo:${iamPattern(repo)}:*`],
    ),
  );
  return [...new Set(subjects)];
}

function iamPattern(pattern: string): string {
  return pattern.replaceAll('**', '*');
}

function document(statements: readonly Statement[]): PolicyDocument {
  return { Version: '2012-10-17', Statement: statements };
}

function oneOrMany(values: readonly string[]): string | readonly string[] {
  return values.length === 1 ? (values[0] as string) : values;
}
