/**
 * Calls that hand out a further credential: a session, a token, a password, a key, a URL that is one. What it may do, how
 * long, and where its use is recorded differs for each, and some name in CloudTrail nothing by which it could be followed.
 */
import type { TrailEvent } from './event.ts';

/** True for a call that succeeded in obtaining one. */
export function obtainsCredential({ error, obtained, source, name }: TrailEvent): boolean {
  if (error !== null) return false;
  const service = source.replace(/\.amazonaws\.com(?:\.cn)?$|\.amazonaws\.cn$/, '');
  return obtained !== null || (CALLS[service]?.test(name) ?? false);
}

// The calls of STS are here too: an export can leave their answer out, and with it the key that they handed out.
const CALLS: Readonly<Record<string, RegExp>> = Object.assign(Object.create(null), {
  chime: /^CreateApiKey$/,
  cloudshell: /^(?:PutCredentials|CreateSession)$/,
  codeartifact: /^GetAuthorizationToken$/,
  codepipeline: /^PollFor(?:ThirdParty)?Jobs$/,
  'cognito-identity': /^Get(?:CredentialsForIdentity|OpenIdToken|OpenIdTokenForDeveloperIdentity)$/,
  connect: /^GetFederationTokens?$/,
  datazone: /^GetEnvironmentCredentials$/,
  ec2: /^GetPasswordData$/,
  ecr: /^GetAuthorizationToken$/,
  'ecr-public': /^GetAuthorizationToken$/,
  elasticmapreduce: /^GetClusterSessionCredentials$/,
  grafana: /^Create(?:WorkspaceApiKey|WorkspaceServiceAccountToken)$/,
  iam: /^(?:(?:Create|Update)(?:AccessKey|LoginProfile)|(?:Create|Reset)ServiceSpecificCredential|Upload(?:SSHPublicKey|SigningCertificate))$/,
  lakeformation: /^(?:GetTemporary\w*Credentials|GetDataAccess)$/,
  lightsail: /^Get(?:InstanceAccessDetails|RelationalDatabaseMasterUserPassword)$/,
  quicksight: /^(?:Get\w*EmbedUrl|GenerateEmbedUrl\w+)$/,
  redshift: /^GetClusterCredentials(?:WithIAM)?$/,
  'redshift-serverless': /^GetCredentials$/,
  rolesanywhere: /^CreateSession$/,
  s3: /^(?:GetDataAccess|CreateSession)$/,
  s3express: /^CreateSession$/,
  sagemaker: /^CreatePresigned\w+Url$/,
  signin: /^(?:GetSigninToken|CreateOAuth2Token\w*|AuthorizeOAuth2Access)$/,
  ssm: /^(?:CreateActivation|GetAccessToken|StartSession|ResumeSession)$/,
  sso: /^GetRoleCredentials$/,
  'sso-oauth': /^CreateToken(?:WithIAM)?$/,
  sts: /^(?:AssumeRole\w*|AssumeRoot|GetFederationToken|GetServiceBearerToken|GetSessionToken|GetWebIdentityToken|GetDelegatedAccessToken)$/,
});
