/** `capwrap init --aws-role NAME`: the IAM role that a capability needs, as policies and the commands that make it. */

import { escapeText, toJson } from '../base/escape.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { parseRoleArn } from '../broker/providers/aws-sts/arn.ts';
import { AWS_AUDIENCE } from '../broker/sources/github-actions.ts';
import { findCapability, readJudgedMap } from '../decide.ts';
import { CapwrapError } from '../errors.ts';
import type { Capability } from '../policy/capability.ts';
import { parseMap } from '../policy/parse.ts';
import type { AwsStsConfig } from '../policy/providers/aws-sts.ts';
import { holdsToken } from '../policy/sources/index.ts';
import type { CommandContext } from '../ui/context.ts';
import type { InitOptions } from './init-options.ts';
import {
  callerPolicy,
  githubSubjects,
  keyTrustPolicy,
  type PolicyDocument,
  permissionPolicy,
  tokenTrustPolicy,
} from './init-role-policies.ts';

type RoleOptions = InitOptions & { readonly awsRole: string };

/** What is printed, in the order in which it is used. */
interface RolePlan {
  readonly role_arn: string;
  readonly trust_policy: PolicyDocument;
  readonly permission_policy: PolicyDocument;
  /** Null where the trust policy alone is enough. */
  readonly caller_policy: PolicyDocument | null;
  readonly commands: readonly string[];
  readonly notes: readonly string[];
}

const GITHUB_ISSUER = 'token.actions.githubusercontent.com';
const PRINCIPAL = /^arn:(aws[a-z-]*):iam::(\d{12}):(?:root|(?:user|role)\/[\w+=,.@/-]+)$/;

/** Prints policies for a person to review; changes nothing anywhere. */
export async function printAwsRole(context: CommandContext, options: RoleOptions): Promise<number> {
  const judged = await readJudgedMap(context, options.file);
  const capability = findCapability(parseMap(judged.file.bytes, judged.file), options.awsRole);
  const { config } = capability;
  if (config.provider !== 'aws-sts') {
    throw new CapwrapError(
      'ERR_USAGE',
      `capability "${capability.name}" is for provider ${config.provider} and needs no IAM role`,
      { hint: 'capwrap list' },
    );
  }
  const plan = planRole(capability, config, options);
  const trust = judged.trust.trusted
    ? []
    : [`this map is not trusted (${judged.trust.why}): read the scope before you grant it`];
  const notes = [...trust, ...plan.notes];
  await context.out(
    context.json ? `${toJson({ ...plan, notes }, 2)}\n` : asText(context, { ...plan, notes }),
  );
  return 0;
}

function planRole(capability: Capability, config: AwsStsConfig, options: RoleOptions): RolePlan {
  const trust = holdsToken(config.source)
    ? tokenTrust(capability, config, options)
    : keyTrust(config, options);
  return {
    role_arn: config.roleArn,
    permission_policy: permissionPolicy(config),
    commands: commandsFor(capability, config),
    ...trust,
  };
}

type Trust = Pick<RolePlan, 'trust_policy' | 'caller_policy' | 'notes'>;

function keyTrust(config: AwsStsConfig, options: RoleOptions): Trust {
  if (options.oidcProvider !== undefined) {
    throw usage(
      `"--oidc-provider" does not fit source "${config.source.type}", which holds keys`,
      keyExample(options),
    );
  }
  const match = PRINCIPAL.exec(options.principal ?? '');
  if (!match) {
    const what =
      options.principal === undefined
        ? 'is missing'
        : `is "${options.principal}", which is no IAM user, role or account root`;
    throw usage(`"--principal" ${what}: it names who may assume the role`, keyExample(options));
  }
  const principal = match[0];
  // Within one account, a trust policy that names the caller itself is enough.
  const needsBoth = match[2] !== parseRoleArn(config.roleArn).account || principal.endsWith(':root');
  return {
    trust_policy: keyTrustPolicy(config, principal),
    caller_policy: needsBoth ? callerPolicy(config) : null,
    notes: [],
  };
}

function tokenTrust(capability: Capability, config: AwsStsConfig, options: RoleOptions): Trust {
  const github = config.source.type === 'github-actions';
  const provider = (options.oidcProvider ?? (github ? GITHUB_ISSUER : '')).replace(/^https:\/\/|\/+$/g, '');
  if (!/^[\w.-]+(?::\d+)?(?:\/[\w./-]+)?$/.test(provider)) {
    throw usage(
      '"--oidc-provider" is missing or no host name: it names the issuer of the tokens',
      tokenExample(options),
    );
  }
  const subjects =
    options.principal === undefined ? ruleSubjects(capability, github, options) : [options.principal];
  const audience = ('audience' in config.source ? config.source.audience : null) ?? AWS_AUDIENCE;
  const { partition, account } = parseRoleArn(config.roleArn);
  return {
    trust_policy: tokenTrustPolicy({ partition, account, provider, audience, subjects }),
    caller_policy: null,
    notes: [
      `the account needs the identity provider once: aws iam create-open-id-connect-provider --url https://${provider} --client-id-list ${shellQuote(audience)}`,
      ...(github && options.principal === undefined ? GITHUB_NOTES : []),
    ],
  };
}

const GITHUB_NOTES = [
  'a job with an environment has the subject repo:OWNER/NAME:environment:ENV instead, and a pull request repo:OWNER/NAME:pull_request: give it with --principal',
  'newer repositories have ids in the subject (repo:OWNER@ID/NAME@ID:...): compare with a token, and give it with --principal',
];

function ruleSubjects(capability: Capability, github: boolean, options: RoleOptions): readonly string[] {
  if (!github)
    throw usage(
      '"--principal" is missing: it names the subject of the tokens that may assume the role',
      tokenExample(options),
    );
  const subjects = githubSubjects(capability);
  if (subjects !== null) return subjects;
  throw usage(
    `capability "${capability.name}" has an allow rule without repo, so its role would trust every repository of GitHub`,
    `capwrap init --aws-role ${options.awsRole} --principal repo:OWNER/NAME:ref:refs/heads/main`,
  );
}

function commandsFor(capability: Capability, config: AwsStsConfig): readonly string[] {
  const { name } = parseRoleArn(config.roleArn);
  const path = /:role(\/.*\/)[^/]+$/.exec(config.roleArn)?.[1];
  const create = [
    `aws iam create-role --role-name ${name}`,
    ...(path ? [`--path ${shellQuote(path)}`] : []),
    '--assume-role-policy-document file://trust.json',
    ...(capability.maxTtl > 3600 ? [`--max-session-duration ${capability.maxTtl}`] : []),
  ];
  return [
    create.join(' '),
    `aws iam put-role-policy --role-name ${name} --policy-name capwrap-${capability.name} --policy-document file://permissions.json`,
  ];
}

function asText(context: CommandContext, plan: RolePlan): string {
  const { bold, dim, yellow } = context.colors.stdout;
  const show = (title: string, policy: PolicyDocument) => [bold(title), escapeLines(toJson(policy, 2)), ''];
  const lines = [
    ...show('# trust.json: who may assume the role', plan.trust_policy),
    ...show('# permissions.json: what the role may do', plan.permission_policy),
    ...(plan.caller_policy
      ? show("# caller.json: what the caller's own policy must allow", plan.caller_policy)
      : []),
    bold('# the role, made from them'),
    ...plan.commands.map(escapeText),
    ...(plan.notes.length > 0 ? [''] : []),
    ...plan.notes.map((note) => (note.startsWith('this map') ? yellow : dim)(`# ${escapeText(note)}`)),
  ];
  return `${lines.join('\n')}\n`;
}

function escapeLines(text: string): string {
  return text.split('\n').map(escapeText).join('\n');
}

function keyExample(options: RoleOptions): string {
  return `capwrap init --aws-role ${options.awsRole} --principal arn:aws:iam::123456789012:user/NAME`;
}

function tokenExample(options: RoleOptions): string {
  return `capwrap init --aws-role ${options.awsRole} --oidc-provider HOST --principal SUBJECT`;
}

function usage(message: string, hint: string): CapwrapError {
  return new CapwrapError('ERR_USAGE', message, { hint });
}
