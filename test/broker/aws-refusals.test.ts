/** Refusals of AssumeRole, each with the one line that says what to change. */
import { PREVIEW_DEPLOYER, type previewDeployer } from '../../examples/sandbox/accounts.ts';
import type { Fault } from '../../examples/sandbox/faults.ts';
import type { Sandbox } from '../../examples/sandbox/server.ts';
import { testFailures } from './aws-failures.ts';

const ROLE = `role "${PREVIEW_DEPLOYER}"`;

function awsError(code: string, status: number, message: string): Fault {
  return { kind: 'error', status, code, message };
}

function trust(changes: Partial<ReturnType<typeof previewDeployer>['trust']>) {
  return ({ state }: Sandbox) => {
    const role = state.roles.get(PREVIEW_DEPLOYER);
    if (role) role.trust = { ...role.trust, ...changes };
  };
}

testFailures([
  {
    name: 'tags without sts:TagSession',
    set: trust({ tagSession: false }),
    changes: { sessionTags: { team: 'web' } },
    code: 'ERR_PROVIDER_REFUSED',
    message: `${ROLE} may not be assumed with session tags: sts:TagSession is not allowed`,
    hint: /^allow sts:TagSession beside sts:AssumeRole: capwrap init --aws-role publish-preview-build/,
  },
  {
    name: 'source identity without sts:SetSourceIdentity',
    set: trust({ setSourceIdentity: false }),
    changes: { sourceIdentity: 'workstation-user' },
    code: 'ERR_PROVIDER_REFUSED',
    message: `${ROLE} may not be assumed with a source identity: sts:SetSourceIdentity is not allowed`,
    hint: /^allow sts:SetSourceIdentity/,
  },
  {
    name: 'a role that does not trust the caller',
    set: trust({ principals: [] }),
    code: 'ERR_PROVIDER_REFUSED',
    message: `${ROLE} is not open to source "env" (arn:aws:iam::123456789012:user/agent-base): STS allows no sts:AssumeRole`,
    hint: /trust policy names this caller .* whether the trust policy asks for an external id/,
  },
  {
    name: 'an external id that is wrong',
    set: trust({ externalId: 'right' }),
    changes: { externalId: 'wrong' },
    code: 'ERR_PROVIDER_REFUSED',
    message: /is not open to source "env"/,
    hint: /that external_id is the one that the trust policy asks for$/,
  },
  {
    name: 'a role that does not exist',
    changes: { roleArn: 'arn:aws:iam::123456789012:role/gone' },
    code: 'ERR_PROVIDER_REFUSED',
    message: /^role "arn:aws:iam::123456789012:role\/gone" is not open to source "env"/,
    hint: /^check that the role exists/,
  },
  {
    name: 'an explicit deny in the caller’s policy',
    set: ({ state }) => {
      state.user.policy = {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Deny', Action: 'sts:*', Resource: '*' }],
      };
    },
    code: 'ERR_PROVIDER_REFUSED',
    message: `${ROLE} is denied to source "env" (arn:aws:iam::123456789012:user/agent-base) by the caller's own policy`,
    hint: /^remove that explicit deny/,
  },
  {
    name: 'a caller’s policy that says nothing',
    fault: awsError(
      'AccessDenied',
      403,
      'User: arn:aws:iam::123456789012:user/x is not authorized to perform: sts:AssumeRole on resource: r because no identity-based policy allows the sts:AssumeRole action',
    ),
    code: 'ERR_PROVIDER_REFUSED',
    message: `${ROLE} is not open to source "env" (arn:aws:iam::123456789012:user/x): the caller's own policy does not allow sts:AssumeRole`,
    hint: /^allow it there/,
  },
  {
    name: 'an organization’s policy',
    fault: awsError('AccessDenied', 403, 'not authorized with an explicit deny in a service control policy'),
    code: 'ERR_PROVIDER_REFUSED',
    message: /by a service control policy of the organization$/,
  },
  {
    name: 'the root user',
    fault: awsError('AccessDenied', 403, 'Roles may not be assumed by root accounts.'),
    code: 'ERR_PROVIDER_REFUSED',
    message: `source "env" is the root user of its account, which can't assume roles`,
  },
  {
    name: 'multi-factor authentication',
    fault: awsError(
      'AccessDenied',
      403,
      'MultiFactorAuthentication failed with invalid MFA one time pass code.',
    ),
    code: 'ERR_PROVIDER_REFUSED',
    message: /asks for multi-factor authentication/,
  },
  {
    name: 'a duration over the role’s maximum',
    ttl: 7200,
    code: 'ERR_PROVIDER_REFUSED',
    message: `${ROLE} has a maximum session duration below the 2h asked for`,
    hint: /aws iam update-role --role-name preview-deployer --max-session-duration 7200$/,
  },
  {
    name: 'chaining over an hour',
    as: 'roleSession',
    ttl: 5400,
    code: 'ERR_PROVIDER_REFUSED',
    message:
      'source "env" is the role session arn:aws:sts::123456789012:assumed-role/workstation/workstation-user, and STS gives a role that assumes another 1h at most, not 1h30m',
    hint: /^ttl: 1h/,
    asked: 0,
  },
  {
    name: 'chaining over an hour, by a caller of whom STS does not say who it is',
    as: 'roleSession',
    ttl: 5400,
    fault: { ...awsError('AccessDenied', 403, 'Text that must not be shown'), action: 'GetCallerIdentity' },
    code: 'ERR_PROVIDER_REFUSED',
    message: `source "env" is itself a role session, which can hold ${ROLE} for 1h at most; 1h30m was asked for`,
    hint: /^ttl: 1h/,
  },
  {
    name: 'chaining over an hour, as the type of source says',
    changes: { source: { type: 'container', endpoint: null } },
    ttl: 5400,
    code: 'ERR_PROVIDER_REFUSED',
    message:
      'source "container" is a role already, and STS gives a role that assumes another 1h at most, not 1h30m',
    hint: /^ttl: 1h/,
    asked: 0,
  },
  {
    name: 'a duration that is refused without a reason',
    fault: {
      action: 'AssumeRole',
      ...awsError(
        'ValidationError',
        400,
        "1 validation error detected: Value '5400' at 'durationSeconds' failed to satisfy constraint",
      ),
    },
    ttl: 5400,
    code: 'ERR_PROVIDER_REFUSED',
    message: `${ROLE} can't be held for the 1h30m asked for: the source is a session, and where that is a role's, STS allows 1h at most`,
  },
  {
    name: 'another parameter',
    fault: awsError(
      'ValidationError',
      400,
      "1 validation error detected: Value 'x y' at 'externalId' failed to satisfy constraint",
    ),
    code: 'ERR_PROVIDER_REFUSED',
    message: `${ROLE} can't be assumed: STS finds parameter "externalId" invalid`,
    hint: /capwrap explain publish-preview-build$/,
  },
  {
    name: 'a malformed policy',
    fault: awsError('MalformedPolicyDocument', 400, 'The policy is not in the valid JSON format.'),
    code: 'ERR_PROVIDER_REFUSED',
    message: 'scope of capability "publish-preview-build" makes a session policy that STS can\'t read',
  },
  {
    name: 'a packed policy that is too large',
    fault: awsError(
      'PackedPolicyTooLarge',
      400,
      'Packed policy consumes 112% of allotted space, please use smaller policy.',
    ),
    code: 'ERR_PROVIDER_POLICY_TOO_LARGE',
    message:
      /^scope of capability "publish-preview-build" makes a session policy that takes 112% of what STS can pack \(\d+ characters\)$/,
    hint: /^shorten scope/,
  },
  {
    name: 'a region that is switched off',
    changes: { region: 'eu-south-2' },
    set: ({ state }) => Object.assign(state, { disabledRegions: ['eu-south-2'] }),
    code: 'ERR_PROVIDER_REFUSED',
    message: 'region "eu-south-2" has STS switched off for the account of the source',
  },
  {
    name: 'a base session that has expired',
    as: 'expired',
    code: 'ERR_SOURCE_INVALID',
    message: 'source "env" holds a session that has expired',
  },
  {
    name: 'a key that AWS does not know',
    set: ({ state, credentials }) => void state.credentials.delete(credentials.base.accessKeyId),
    code: 'ERR_SOURCE_INVALID',
    message: /^source "env" holds a key that AWS does not know/,
    hint: /^aws sts get-access-key-info --access-key-id ASIA/,
  },
  {
    name: 'a secret that is wrong',
    set: ({ state, credentials: { base } }) =>
      void state.credentials.set(base.accessKeyId, { ...base, secretAccessKey: 'x'.repeat(40) }),
    code: 'ERR_SOURCE_INVALID',
    message: 'source "env" holds a secret access key that does not belong to its access key id',
  },
  {
    name: 'throttling',
    fault: awsError('Throttling', 400, 'Rate exceeded'),
    code: 'ERR_PROVIDER_UNAVAILABLE',
    message: /^"127\.0\.0\.1:\d+" is limiting requests of this account$/,
  },
  {
    name: 'a code that nobody knows',
    fault: awsError('SomethingNew', 400, 'Text that must not be shown'),
    code: 'ERR_PROVIDER_REFUSED',
    message: /^"127\.0\.0\.1:\d+" refused AssumeRole with SomethingNew$/,
  },
  {
    name: 'a failure inside STS',
    fault: awsError('InternalFailure', 500, 'Text that must not be shown'),
    code: 'ERR_PROVIDER_UNAVAILABLE',
    message: /^"127\.0\.0\.1:\d+" answered 500 \(InternalFailure\); a session/,
    mayExist: true,
  },
]);
