/**
 * Actions by which a credential gets at more than its own permissions, beyond those that AWS itself files under
 * "permissions management". What the session policy leaves out of the credential comes back through them, because a
 * new key, a role handed to a service, or code inside a machine is not bound by it.
 */
import type { IamAction } from './iam-actions.ts';

const ESCALATING: Readonly<Record<string, string>> = {
  'sts:AssumeRole': 'becomes another role',
  'sts:AssumeRoleWithSAML': 'becomes another role',
  'sts:AssumeRoleWithWebIdentity': 'becomes another role',
  'sts:AssumeRoot': 'becomes the root user of a member account',
  'sts:GetFederationToken': 'makes another credential, which outlives this one',
  'sts:GetDelegatedAccessToken': 'makes another credential, which outlives this one',
  'sts:GetWebIdentityToken': 'makes a token that others take as proof',
  'iam:PassRole': 'hands a role to a service, which then acts with it',
  'iam:CreateAccessKey': 'makes a key without an expiry',
  'iam:UpdateAccessKey': 'brings a disabled key back',
  'iam:CreateServiceSpecificCredential': 'makes a password without an expiry',
  'iam:CreateLoginProfile': 'makes a password for the console',
  'iam:UpdateLoginProfile': 'changes a password for the console',
  'iam:CreateUser': 'makes a user',
  'iam:CreateRole': 'makes a role, and says who may become it',
  'iam:AddUserToGroup': 'gives a user the permissions of a group',
  'iam:AddRoleToInstanceProfile': 'gives a machine a role',
  'iam:CreateSAMLProvider': 'decides who may sign in',
  'iam:UpdateSAMLProvider': 'decides who may sign in',
  'iam:CreateOpenIDConnectProvider': 'decides who may sign in',
  'iam:UpdateOpenIDConnectProviderThumbprint': 'decides who may sign in',
  'iam:AddClientIDToOpenIDConnectProvider': 'decides who may sign in',
  'iam:DeactivateMFADevice': 'takes a second factor away',
  'lambda:UpdateFunctionCode': 'runs code with the role of a function',
  'lambda:UpdateFunctionConfiguration': 'runs code with the role of a function, through a layer',
  'ssm:SendCommand': 'runs code on machines, with their role',
  'ssm:StartSession': 'opens a shell on machines, with their role',
  'ec2-instance-connect:SendSSHPublicKey': 'opens a shell on machines, with their role',
  'ec2:ModifyInstanceAttribute': 'runs code on machines, through their user data',
  'ecs:ExecuteCommand': 'runs code in containers, with their role',
  'codebuild:StartBuild': 'runs code with the role of a build, through a buildspec of its own',
  'glue:UpdateDevEndpoint': 'opens a shell with the role of an endpoint',
  'cloudformation:UpdateStack': 'changes resources with the role of the stack',
  'cognito-identity:GetCredentialsForIdentity': 'becomes another role',
};

/** What an action does that leads beyond the credential's own permissions; null where it does nothing of the kind. */
export function escalates({ name, level }: IamAction): string | null {
  return ESCALATING[name] ?? (level === 'permissions' ? 'changes who may do what' : null);
}

/** The names in the table, for a test that they exist. */
export const ESCALATING_NAMES: readonly string[] = Object.keys(ESCALATING);
