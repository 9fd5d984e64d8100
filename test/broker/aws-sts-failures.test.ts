/** A catalogue of what can go wrong with STS, each with the one line that it becomes. No row may leak or ask twice. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { defaultUser, PREVIEW_DEPLOYER, previewDeployer } from '../../examples/sandbox/accounts.ts';
import type { Fault } from '../../examples/sandbox/faults.ts';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import type { BaseCredentials } from '../../examples/sandbox/state.ts';
import { awsSts } from '../../src/broker/providers/aws-sts/index.ts';
import type { CapwrapError, ErrorCode } from '../../src/errors.ts';
import type { AwsStsConfig } from '../../src/policy/capability.ts';
import { brokerContext, errorOf, issueRequest, LEASE_ID } from '../helpers/aws.ts';
import { expectNowhere } from '../helpers/secrets.ts';

interface Row {
  readonly name: string;
  readonly fault?: Fault;
  readonly set?: (sandbox: Sandbox) => void;
  readonly changes?: Partial<AwsStsConfig>;
  readonly ttl?: number;
  readonly as?: keyof BaseCredentials;
  readonly code: ErrorCode;
  readonly message: string | RegExp;
  readonly hint?: RegExp;
  /** Whether a session may exist that nobody will use; then the error says until when. */
  readonly mayExist?: boolean;
}

const ROLE = `role "${PREVIEW_DEPLOYER}"`;
const SESSION = `arn:aws:sts::123456789012:assumed-role/preview-deployer/agent-${LEASE_ID}`;
const UNSEEN = new RegExp(`; a session "agent-${LEASE_ID}" may have been issued unseen and would expire by 20\\d\\d-`);

function awsError(code: string, status: number, message: string): Fault {
  return { kind: 'error', status, code, message };
}

function trust(changes: Partial<ReturnType<typeof previewDeployer>['trust']>) {
  return ({ state }: Sandbox) => {
    const role = state.roles.get(PREVIEW_DEPLOYER);
    if (role) role.trust = { ...role.trust, ...changes };
  };
}

const REFUSALS: readonly Row[] = [
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
    changes: { sourceIdentity: 'dana' },
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
    fault: awsError('AccessDenied', 403, 'User: arn:aws:iam::123456789012:user/x is not authorized to perform: sts:AssumeRole on resource: r because no identity-based policy allows the sts:AssumeRole action'),
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
    fault: awsError('AccessDenied', 403, 'MultiFactorAuthentication failed with invalid MFA one time pass code.'),
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
    message: `source "env" is itself a role session, which can hold ${ROLE} for 1h at most; 1h30m was asked for`,
    hint: /^ttl: 1h/,
  },
  {
    name: 'a duration that is refused without a reason',
    fault: awsError('ValidationError', 400, "1 validation error detected: Value '5400' at 'durationSeconds' failed to satisfy constraint"),
    ttl: 5400,
    code: 'ERR_PROVIDER_REFUSED',
    message: `${ROLE} can't be held for the 1h30m asked for: the source is a session, and where that is a role's, STS allows 1h at most`,
  },
  {
    name: 'another parameter',
    fault: awsError('ValidationError', 400, "1 validation error detected: Value 'x y' at 'externalId' failed to satisfy constraint"),
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
    fault: awsError('PackedPolicyTooLarge', 400, 'Packed policy consumes 112% of allotted space, please use smaller policy.'),
    code: 'ERR_PROVIDER_POLICY_TOO_LARGE',
    message: /^scope of capability "publish-preview-build" makes a session policy that takes 112% of what STS can pack \(\d+ characters\)$/,
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
];

const NETWORK: readonly Row[] = [
  { name: 'a gateway’s page', fault: { kind: 'html' }, code: 'ERR_PROVIDER_UNAVAILABLE', message: /answered 503; a session/, mayExist: true },
  {
    name: 'a page that looks like success',
    fault: { kind: 'body', status: 200, body: '<html><body>Log in to the hotel network</body></html>', headers: { 'content-type': 'text/html' } },
    code: 'ERR_PROVIDER_INVALID_RESPONSE',
    message: /^"127\.0\.0\.1:\d+" answered without a complete credential$/,
    mayExist: true,
  },
  {
    name: 'a page that refuses',
    fault: { kind: 'body', status: 407, body: '<html>proxy</html>' },
    code: 'ERR_PROVIDER_INVALID_RESPONSE',
    message: /answered 407 with something that is not STS's$/,
  },
  {
    name: 'nothing at all',
    fault: { kind: 'body', status: 200, body: '' },
    code: 'ERR_PROVIDER_INVALID_RESPONSE',
    message: /answered without a complete credential$/,
    mayExist: true,
  },
  {
    name: 'garbage',
    fault: { kind: 'body', status: 200, body: Buffer.from([0xff, 0xfe, 0x00, 0x3c, 0x3c]) },
    code: 'ERR_PROVIDER_INVALID_RESPONSE',
    message: /answered 200 with something that is not STS's; a session/,
    mayExist: true,
  },
  { name: 'an answer cut short', fault: { kind: 'truncated' }, code: 'ERR_PROVIDER_UNAVAILABLE', message: /closed the connection before its answer was complete; a session/, mayExist: true },
  { name: 'an answer without end', fault: { kind: 'huge', bytes: 3 * 1024 * 1024 }, code: 'ERR_PROVIDER_INVALID_RESPONSE', message: /sent an answer of more than 1 MiB; a session/, mayExist: true },
  { name: 'a redirect', fault: { kind: 'redirect', to: 'http://127.0.0.1:9/' }, code: 'ERR_PROVIDER_INVALID_RESPONSE', message: /answered 307, a redirect, which is not followed$/ },
  { name: 'a reset before the effect', fault: { kind: 'reset', when: 'before' }, code: 'ERR_PROVIDER_UNAVAILABLE', message: UNSEEN, mayExist: true },
  { name: 'a reset after the effect', fault: { kind: 'reset', when: 'after-effect' }, code: 'ERR_PROVIDER_UNAVAILABLE', message: UNSEEN, mayExist: true },
];

const ANSWERS: readonly Row[] = [
  {
    name: 'another role’s session',
    fault: { kind: 'rewrite', elements: { Arn: 'arn:aws:sts::123456789012:assumed-role/admin/agent-1' } },
    code: 'ERR_PROVIDER_WRONG_PRINCIPAL',
    message: new RegExp(`issued a credential for "arn:aws:sts::123456789012:assumed-role/admin/agent-1", not for "${SESSION}"$`),
    mayExist: true,
  },
  {
    name: 'a session of another name',
    fault: { kind: 'rewrite', elements: { Arn: `${SESSION}x` } },
    code: 'ERR_PROVIDER_WRONG_PRINCIPAL',
    message: /not for/,
    mayExist: true,
  },
  {
    name: 'no principal',
    fault: { kind: 'rewrite', elements: { Arn: null } },
    code: 'ERR_PROVIDER_WRONG_PRINCIPAL',
    message: /issued a credential without naming its principal/,
    mayExist: true,
  },
  {
    name: 'a long-lived key',
    fault: { kind: 'rewrite', elements: { AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' } },
    code: 'ERR_PROVIDER_INVALID_RESPONSE',
    message: /answered with a key that is not a temporary one \(ASIA…\)$/,
    mayExist: true,
  },
  ...(['AccessKeyId', 'SecretAccessKey', 'SessionToken'] as const).flatMap((element) => [
    {
      name: `no ${element}`,
      fault: { kind: 'rewrite', elements: { [element]: null } } as const,
      code: 'ERR_PROVIDER_INVALID_RESPONSE' as const,
      message: /answered without a complete credential$/,
      mayExist: true,
    },
    {
      name: `an empty ${element}`,
      fault: { kind: 'rewrite', elements: { [element]: '' } } as const,
      code: 'ERR_PROVIDER_INVALID_RESPONSE' as const,
      message: /answered without a complete credential$/,
      mayExist: true,
    },
  ]),
  {
    name: 'a token with a control character',
    fault: { kind: 'rewrite', elements: { SessionToken: 'abcdef&#27;[31mghi' } },
    code: 'ERR_PROVIDER_INVALID_RESPONSE',
    message: /answered with a blank or control character in a credential$/,
    mayExist: true,
  },
  { name: 'no expiry', fault: { kind: 'rewrite', elements: { Expiration: null } }, code: 'ERR_PROVIDER_EXPIRY', message: /issued a credential without an expiry$/, mayExist: true },
  { name: 'an unreadable expiry', fault: { kind: 'rewrite', elements: { Expiration: 'soon' } }, code: 'ERR_PROVIDER_INVALID_RESPONSE', message: /answered 200 with something/, mayExist: true },
  { name: 'an expiry in the past', fault: { kind: 'rewrite', elements: { Expiration: '2020-01-01T00:00:00Z' } }, code: 'ERR_PROVIDER_EXPIRY', message: /issued a credential that expired at 2020-01-01T00:00:00\.000Z$/, mayExist: true },
  { name: 'an expiry beyond what was asked', fault: { kind: 'rewrite', elements: { Expiration: '2099-01-01T00:00:00Z' } }, code: 'ERR_PROVIDER_EXPIRY', message: /issued a credential for \d+ s; 900 s were asked for$/, mayExist: true },
];

const CLOCKS: readonly Row[] = [
  {
    name: 'a clock far behind, which STS refuses',
    set: (sandbox) => void (sandbox.clockOffset = 600),
    code: 'ERR_CLOCK_SKEW',
    message: /^clock of this machine is (?:599|600) s behind STS, which refuses the signature for it$/,
    hint: /^set the clock/,
  },
  {
    name: 'a clock far ahead, which STS refuses',
    set: (sandbox) => void (sandbox.clockOffset = -600),
    code: 'ERR_CLOCK_SKEW',
    message: /^clock of this machine is (?:599|600) s ahead of STS, which refuses the signature for it$/,
  },
  {
    name: 'a clock ahead by more than the session policy can bear',
    set: (sandbox) => void (sandbox.clockOffset = -90),
    code: 'ERR_CLOCK_SKEW',
    message: /^clock of this machine is (?:89|90) s ahead of STS, so the session policy would end the session (?:89|90) s too late$/,
    mayExist: true,
  },
  {
    name: 'a clock behind by more than the whole grant',
    set: (sandbox) => void (sandbox.clockOffset = 120),
    ttl: 60,
    code: 'ERR_CLOCK_SKEW',
    message: /^clock of this machine is (?:119|120) s behind STS, so the session policy of 60 s is over already$/,
    mayExist: true,
  },
  {
    name: 'a clock whose size only the message tells',
    fault: {
      kind: 'body',
      status: 403,
      headers: { date: '', 'content-type': 'text/xml' },
      body: '<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z (20260101T001500Z - 5 min.)</Message></Error></ErrorResponse>',
    },
    code: 'ERR_CLOCK_SKEW',
    message: 'clock of this machine is 900 s behind STS, which refuses the signature for it',
  },
];

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.stop());

const pristine = { user: defaultUser(), role: previewDeployer() };
afterEach(() => {
  const { state, credentials } = sandbox;
  sandbox.faults.clear();
  sandbox.clockOffset = 0;
  state.user.policy = pristine.user.policy;
  Object.assign(state, { disabledRegions: [] });
  const role = state.roles.get(PREVIEW_DEPLOYER);
  if (role) role.trust = pristine.role.trust;
  for (const one of Object.values(credentials)) state.credentials.set(one.accessKeyId, one);
});

describe.each([
  { kind: 'refusals', rows: REFUSALS },
  { kind: 'network', rows: NETWORK },
  { kind: 'answers', rows: ANSWERS },
  { kind: 'clocks', rows: CLOCKS },
])('$kind', ({ rows }) => {
  test.each(rows)('$name', async (row) => {
    const { accessKeyId, secretAccessKey, sessionToken } = sandbox.credentials[row.as ?? 'base'];
    row.set?.(sandbox);
    if (row.fault) sandbox.faults.push(row.fault);
    const before = sandbox.requests.length;
    const context = brokerContext({
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken ?? '',
    });
    const error = await errorOf(() =>
      awsSts.issue(issueRequest({ endpoint: sandbox.url, ...row.changes }, row.ttl), context),
    );

    expect(error.code).toBe(row.code);
    if (typeof row.message === 'string') expect(error.message).toBe(row.message);
    else expect(error.message).toMatch(row.message);
    if (row.hint) expect(error.hint).toMatch(row.hint);
    if (row.mayExist !== undefined) expect(error.issuedUntil instanceof Date).toBe(row.mayExist);
    expect(sandbox.requests.length - before, 'exactly one request').toBe(1);
    expectClean(error);
  });
});

/** One line, none of AWS's own words, no secret, in anything that could be printed. */
function expectClean(error: CapwrapError): void {
  const texts = [error.message, error.hint ?? '', String(error.stack), JSON.stringify(error), String(error.cause)];
  expectNowhere(sandbox.secrets(), { texts });
  for (const text of [error.message, error.hint ?? '']) {
    expect(text).not.toMatch(/[\r\n\u001b]|Text that must not be shown|hotel|validation error|<\//);
  }
}
