/** The parts of the AWS SDK that a run needs, so that a bundle carries no others and loads them on this path only. */
export {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
