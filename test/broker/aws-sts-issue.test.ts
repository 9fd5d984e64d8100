/** The provider against the sandbox: what is asked, what comes back, what the masker knows. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { previewDeployer } from '../../examples/sandbox/accounts.ts';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import { endLease } from '../../src/broker/end-lease.ts';
import { awsSts } from '../../src/broker/providers/aws-sts/index.ts';
import { brokerContext, issueRequest, LEASE_ID, variablesOf } from '../helpers/aws.ts';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ roles: [previewDeployer({ maxSessionDuration: 7200 })] });
});
afterAll(() => sandbox.stop());
beforeEach(() => {
  sandbox.faults.clear();
  sandbox.clockOffset = 0;
});

describe('AssumeRole', () => {
  test('issues a session that is what was granted', async () => {
    const context = brokerContext(variablesOf(sandbox.credentials.base));
    const request = issueRequest({ endpoint: sandbox.url });
    const lease = await awsSts.issue(request, context);
    const issued = sandbox.issuedSessions.at(-1);

    expect(lease).toMatchObject({
      leaseId: LEASE_ID,
      provider: 'aws-sts',
      principal: `arn:aws:sts::123456789012:assumed-role/preview-deployer/agent-${LEASE_ID}`,
      scope: ['s3:PutObject', 'cloudfront:CreateInvalidation'],
      expiresAt: issued?.expiresAt,
      warnings: [],
      facts: {
        session_name: `agent-${LEASE_ID}`,
        access_key_id: issued?.accessKeyId,
        source: 'env',
        long_lived_source: false,
        clock_skew_seconds: 0,
      },
    });
    expect(lease.facts['packed_policy_percent']).toBeTypeOf('number');
    expect(Object.entries(lease.values).map(([name, { secret }]) => [name, secret])).toEqual([
      ['access_key_id', false],
      ['secret_access_key', true],
      ['session_token', true],
      ['expiration', false],
      ['region', false],
    ]);
    expect(lease.values['secret_access_key']?.value).toBe(issued?.secretAccessKey);
    expect(lease.values['session_token']?.value).toBe(issued?.sessionToken);
    expect(lease.values['expiration']?.value).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(lease.defaultInject).toEqual({
      AWS_ACCESS_KEY_ID: 'access_key_id',
      AWS_SECRET_ACCESS_KEY: 'secret_access_key',
      AWS_SESSION_TOKEN: 'session_token',
      AWS_CREDENTIAL_EXPIRATION: 'expiration',
      AWS_REGION: 'region',
      AWS_DEFAULT_REGION: 'region',
    });
  });

  test('writes scope and deadline into the session policy', async () => {
    const request = issueRequest({ endpoint: sandbox.url }, 120);
    await awsSts.issue(request, brokerContext(variablesOf(sandbox.credentials.base)));
    const deadline = `${request.deadline.toISOString().slice(0, 19)}Z`;
    expect(sandbox.issuedSessions.at(-1)?.principal.sessionPolicy).toEqual({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::acme-previews/*' },
        {
          Effect: 'Allow',
          Action: 'cloudfront:CreateInvalidation',
          Resource: 'arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE',
        },
        {
          Effect: 'Deny',
          Action: '*',
          Resource: '*',
          Condition: { DateGreaterThanEquals: { 'aws:CurrentTime': deadline } },
        },
      ],
    });
  });

  test.each([
    { ttl: 60, seconds: 900 },
    { ttl: 900, seconds: 900 },
    { ttl: 5400, seconds: 5400 },
  ])('a grant of $ttl s asks for a session of $seconds s', async ({ ttl, seconds }) => {
    const before = Date.now();
    const lease = await awsSts.issue(
      issueRequest({ endpoint: sandbox.url }, ttl),
      brokerContext(variablesOf(sandbox.credentials.base)),
    );
    const life = (lease.expiresAt.getTime() - before) / 1000;
    expect(life).toBeGreaterThan(seconds - 5);
    expect(life).toBeLessThan(seconds + 5);
  });

  test('passes source identity and session tags on', async () => {
    await awsSts.issue(
      issueRequest({
        endpoint: sandbox.url,
        sourceIdentity: 'workstation-user',
        sessionTags: { team: 'web' },
      }),
      brokerContext(variablesOf(sandbox.credentials.base)),
    );
    expect(sandbox.issuedSessions.at(-1)?.principal).toMatchObject({
      sourceIdentity: 'workstation-user',
      tags: { team: 'web' },
    });
  });

  test('shows the head of the audit log in a tag, or asks nothing', async () => {
    const head = `capwrap-head:v1:${'01'.repeat(8)}:999999999999999:${'ab'.repeat(32)}:${'cd'.repeat(8)}`;
    const request = issueRequest({ endpoint: sandbox.url, sessionTags: { log: '{audit_head}' } });
    const context = brokerContext(variablesOf(sandbox.credentials.base));
    await awsSts.issue({ ...request, auditHead: head }, context);
    expect(sandbox.issuedSessions.at(-1)?.principal).toMatchObject({ tags: { log: head } });

    const before = sandbox.requests.length;
    await expect(awsSts.issue({ ...request, auditHead: null }, context)).rejects.toMatchObject({
      code: 'ERR_AUDIT_UNSAFE',
      message: '"log" of session_tags can\'t have the head of the audit log: the log doesn\'t tell its id',
      hint: 'capwrap audit verify',
    });
    expect(sandbox.requests.length).toBe(before);
    expect(awsSts.preview(request)).toMatchObject({ session_tags: { log: '{audit_head}' } });
  });

  test('tells the masker of every secret, those of the source first', async () => {
    const { base } = sandbox.credentials;
    const context = brokerContext(variablesOf(base));
    await awsSts.issue(issueRequest({ endpoint: sandbox.url }), context);
    const issued = sandbox.issuedSessions.at(-1);
    expect(context.registered).toEqual([
      { name: 'source_secret_access_key', value: base.secretAccessKey },
      { name: 'source_session_token', value: base.sessionToken },
      { name: 'secret_access_key', value: issued?.secretAccessKey },
      { name: 'session_token', value: issued?.sessionToken },
    ]);
  });

  test('sends one request and keeps no connection', async () => {
    const before = sandbox.requests.length;
    await awsSts.issue(
      issueRequest({ endpoint: sandbox.url }),
      brokerContext(variablesOf(sandbox.credentials.base)),
    );
    expect(sandbox.requests.length - before).toBe(1);
  });

  test('a long-lived key that the map allows is a fact of the lease', async () => {
    const lease = await awsSts.issue(
      issueRequest({ endpoint: sandbox.url, source: { type: 'env', longLived: true } }),
      brokerContext(variablesOf(sandbox.credentials.longLived)),
    );
    expect(lease.facts['long_lived_source']).toBe(true);
  });
});

describe('end and preview', () => {
  test('the end is the expiry, by the issuer’s clock', async () => {
    const lease = await awsSts.issue(
      issueRequest({ endpoint: sandbox.url }),
      brokerContext(variablesOf(sandbox.credentials.base)),
    );
    const endAt = (milliseconds: number, facts = lease.facts) =>
      endLease(
        awsSts,
        { ...lease, facts },
        brokerContext({}, { now: () => new Date(lease.expiresAt.getTime() + milliseconds) }),
      );
    expect(await endAt(-1000)).toEqual({ outcome: 'expires', end: null, probe: null, error: null });
    expect(await endAt(0)).toMatchObject({ outcome: 'expired' });
    expect(await endAt(20_000, { ...lease.facts, clock_skew_seconds: 30 })).toMatchObject({
      outcome: 'expires',
    });
    expect(await endAt(-20_000, { ...lease.facts, clock_skew_seconds: -30 })).toMatchObject({
      outcome: 'expired',
    });
  });

  test('preview says what would be sent, offline', () => {
    const request = issueRequest({
      sourceIdentity: 'workstation-user',
      sessionTags: { team: 'web' },
      externalId: 'x-1',
    });
    expect(awsSts.preview(request)).toMatchObject({
      action: 'AssumeRole',
      endpoint: 'https://sts.us-east-1.amazonaws.com/',
      region: 'us-east-1',
      role_arn: request.capability.config.provider === 'aws-sts' ? request.capability.config.roleArn : '',
      session_name: `agent-${LEASE_ID}`,
      duration_seconds: 900,
      source: 'env',
      source_identity: 'workstation-user',
      session_tags: { team: 'web' },
      external_id: 'x-1',
      session_policy: { Version: '2012-10-17' },
    });
  });

  test.each([
    {
      region: 'cn-north-1',
      roleArn: 'arn:aws-cn:iam::123456789012:role/x',
      endpoint: 'https://sts.cn-north-1.amazonaws.com.cn/',
    },
    {
      region: 'us-gov-west-1',
      roleArn: 'arn:aws-us-gov:iam::123456789012:role/x',
      endpoint: 'https://sts.us-gov-west-1.amazonaws.com/',
    },
  ])('the endpoint of $region', ({ region, roleArn, endpoint }) => {
    expect(awsSts.preview(issueRequest({ region, roleArn }))).toMatchObject({ endpoint });
  });
});
