/** The parts of the AWS SDK that looking events up needs, so that a bundle carries no others and loads them on this path only. */
export { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
