/**
 * Events as CloudTrail writes them, for one lease. The shapes are those of
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html and of the
 * examples of STS, S3 and CloudFront there.
 */
import { createHash } from 'node:crypto';

export const ACCOUNT = '123456789012';
export const ROLE = 'preview-deployer';
export const KEY = 'ASIAIOSFODNN7EXAMPLE';
export const SESSION = 'agent-9f8c6b6a41d2e07c';
export const PRINCIPAL = `arn:aws:sts::${ACCOUNT}:assumed-role/${ROLE}/${SESSION}`;

/** The lease of the samples: issued at 12:00:02, its run ended at 12:00:05, expired at 12:15:00. */
export const ISSUED = '2026-03-01T12:00:01Z';
export const IN_RUN = '2026-03-01T12:00:03Z';
export const AFTER_RUN = '2026-03-01T12:03:00Z';
export const LONG_AFTER = '2026-03-01T12:45:00Z';

export type RawEvent = Readonly<Record<string, unknown>>;

/** An id that is the same for the same name. */
export function eventId(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** A call of the lease: a management event unless `changes` say otherwise. */
export function call(name: string, eventTime: string, changes: RawEvent = {}): RawEvent {
  return {
    eventVersion: '1.11',
    userIdentity: {
      type: 'AssumedRole',
      principalId: `AROAIDPPEZS35WEXAMPLE:${SESSION}`,
      arn: PRINCIPAL,
      accountId: ACCOUNT,
      accessKeyId: KEY,
      sessionContext: {
        sessionIssuer: {
          type: 'Role',
          principalId: 'AROAIDPPEZS35WEXAMPLE',
          arn: `arn:aws:iam::${ACCOUNT}:role/${ROLE}`,
          accountId: ACCOUNT,
          userName: ROLE,
        },
        attributes: { creationDate: ISSUED, mfaAuthenticated: 'false' },
      },
    },
    eventTime,
    eventSource: 'cloudfront.amazonaws.com',
    eventName: name,
    awsRegion: 'us-east-1',
    sourceIPAddress: '203.0.113.7',
    userAgent: 'aws-cli/2.22.7 md/awscrt#0.23.2 ua/2.0 os/linux#6.8.0 md/command#cloudfront',
    requestParameters: { distributionId: 'E1EXAMPLE' },
    responseElements: null,
    requestID: eventId(`request ${name} ${eventTime}`),
    eventID: eventId(`${name} ${eventTime} ${JSON.stringify(changes)}`),
    readOnly: false,
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: ACCOUNT,
    eventCategory: 'Management',
    ...changes,
  };
}

export const invalidation = (time: string, changes: RawEvent = {}) =>
  call('CreateInvalidation', time, changes);

/** A data event of S3. */
export function s3(name: string, time: string, changes: RawEvent = {}): RawEvent {
  return call(name, time, {
    eventSource: 's3.amazonaws.com',
    userAgent: '[aws-cli/2.22.7 md/awscrt#0.23.2 ua/2.0 os/linux#6.8.0 md/command#s3.cp]',
    requestParameters: {
      bucketName: 'acme-previews',
      Host: 'acme-previews.s3.us-east-1.amazonaws.com',
      key: 'x/index.html',
    },
    additionalEventData: { SignatureVersion: 'SigV4', AuthenticationMethod: 'AuthHeader' },
    resources: [
      { type: 'AWS::S3::Object', ARN: 'arn:aws:s3:::acme-previews/x/index.html' },
      { accountId: ACCOUNT, type: 'AWS::S3::Bucket', ARN: 'arn:aws:s3:::acme-previews' },
    ],
    managementEvent: false,
    eventCategory: 'Data',
    ...changes,
  });
}

/** The same identity with another key, or with none. */
export function withKey(accessKeyId: string, arn = PRINCIPAL): RawEvent {
  const { userIdentity } = call('x', IN_RUN) as { userIdentity: RawEvent };
  return { userIdentity: { ...userIdentity, accessKeyId, arn } };
}

/** AssumeRole by the base user: what issued the lease. */
export function issue(time = ISSUED, changes: RawEvent = {}): RawEvent {
  return call('AssumeRole', time, {
    userIdentity: {
      type: 'IAMUser',
      principalId: 'AIDAQRSTUVWXYZEXAMPLE',
      arn: `arn:aws:iam::${ACCOUNT}:user/agent-base`,
      accountId: ACCOUNT,
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      userName: 'agent-base',
    },
    eventSource: 'sts.amazonaws.com',
    requestParameters: {
      roleArn: `arn:aws:iam::${ACCOUNT}:role/${ROLE}`,
      roleSessionName: SESSION,
      durationSeconds: 900,
    },
    responseElements: {
      credentials: {
        accessKeyId: KEY,
        sessionToken: 'IQoJb3JpZ2luX2VjSESSIONTOKENEXAMPLE',
        expiration: 'Mar 1, 2026, 12:15:00\u202fPM',
      },
      assumedRoleUser: { assumedRoleId: `AROAIDPPEZS35WEXAMPLE:${SESSION}`, arn: PRINCIPAL },
    },
    resources: [{ accountId: ACCOUNT, type: 'AWS::IAM::Role', ARN: `arn:aws:iam::${ACCOUNT}:role/${ROLE}` }],
    readOnly: true,
    ...changes,
  });
}

/** AssumeRole by the lease itself: a chained session. */
export function chain(time: string, keyId: string, arn: string): RawEvent {
  return call('AssumeRole', time, {
    eventSource: 'sts.amazonaws.com',
    responseElements: {
      credentials: {
        accessKeyId: keyId,
        sessionToken: 'IQoJCHAINEDEXAMPLE',
        expiration: 'Mar 1, 2026 1:00:05 PM',
      },
      assumedRoleUser: { assumedRoleId: 'AROAOTHERROLEEXAMPLE:next', arn },
    },
    readOnly: true,
  });
}

/** Somebody else, later in the same account: shows up to when the files go. */
export const BYSTANDER = call('DescribeRegions', LONG_AFTER, {
  eventSource: 'ec2.amazonaws.com',
  userIdentity: {
    type: 'IAMUser',
    arn: `arn:aws:iam::${ACCOUNT}:user/alice`,
    accountId: ACCOUNT,
    accessKeyId: 'AKIAI44QH8DHBEXAMPLE',
    userName: 'alice',
  },
});

/** A trail's file that has all that a clean lease leaves. */
export const CLEAN: readonly RawEvent[] = [
  issue(),
  s3('PutObject', IN_RUN),
  invalidation('2026-03-01T12:00:04Z'),
  BYSTANDER,
];

/** The same event, `ms` milliseconds later. */
export function later(event: RawEvent, ms: number): RawEvent {
  const move = (text: string) => new Date(Date.parse(text) + ms).toISOString().replace(/\.\d+Z$/, 'Z');
  const answer = event['responseElements'] as { credentials?: { expiration: string } } | null;
  const expiration = answer?.credentials?.expiration.replace('\u202f', ' ');
  return {
    ...event,
    eventTime: move(String(event['eventTime'])),
    ...(expiration !== undefined && {
      responseElements: {
        ...answer,
        credentials: { ...answer?.credentials, expiration: move(`${expiration} UTC`) },
      },
    }),
  };
}
