import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planExchange } from '../../src/broker/providers/aws-sts/plan.ts';
import { MAX_POLICY_CHARACTERS, sessionPolicy } from '../../src/broker/providers/aws-sts/session-policy.ts';
import { awsConfig, capability, errorOf, issueRequest, ROLE_ARN } from '../helpers/aws.ts';

const DEADLINE = new Date('2026-11-23T12:00:00.999Z');

function entry(resources: readonly string[], actions: readonly string[] = ['s3:GetObject']) {
  return { actions, resources, broad: false };
}

describe('the session policy', () => {
  test('is compact, and cut to the second before the deadline', () => {
    expect(sessionPolicy([entry(['arn:aws:s3:::a/*'])], DEADLINE)).toBe(
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a/*"},' +
        '{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateGreaterThanEquals":{"aws:CurrentTime":"2026-11-23T12:00:00Z"}}}]}',
    );
  });

  test('never passes the limit, never lets the deny begin late, and holds the scope as it is', () => {
    const words = fc.array(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 300 }), {
      minLength: 1,
      maxLength: 4,
    });
    const scopes = fc.array(fc.record({ actions: words, resources: words, broad: fc.constant(false) }), {
      minLength: 1,
      maxLength: 6,
    });
    const times = fc.date({ min: new Date('2020-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(scopes, times, (scope, deadline) => {
        let text: string;
        try {
          text = sessionPolicy(scope, deadline);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_PROVIDER_POLICY_TOO_LARGE' });
          return;
        }
        expect(text.length).toBeLessThanOrEqual(MAX_POLICY_CHARACTERS);
        const { Statement } = JSON.parse(text);
        expect(
          Statement.slice(0, -1).map((one: Record<string, unknown>) =>
            [one['Action'], one['Resource']].map((value) => [value].flat()),
          ),
        ).toEqual(scope.map(({ actions, resources }) => [actions, resources]));
        const denyFrom = Date.parse(Statement.at(-1).Condition.DateGreaterThanEquals['aws:CurrentTime']);
        expect(deadline.getTime() - denyFrom).toBeGreaterThanOrEqual(0);
        expect(deadline.getTime() - denyFrom).toBeLessThan(1000);
      }),
    );
  });

  test('that is too long is explained before anything is sent', async () => {
    const long = `arn:aws:s3:::bucket/${'x'.repeat(900)}`;
    const scope = [entry(['arn:aws:s3:::a/*']), entry([long, long])];
    const error = await errorOf(() => sessionPolicy(scope, DEADLINE));
    expect(error.code).toBe('ERR_PROVIDER_POLICY_TOO_LARGE');
    expect(error.message).toMatch(/^"scope" makes a session policy of 2\d{3} characters; STS takes 2048$/);
    expect(error.hint).toMatch(/^shorten scope by \d+ characters: scope\[1\] alone takes 19\d\d;/);
  });

  test('with a character that STS refuses names it', async () => {
    const error = await errorOf(() => sessionPolicy([entry(['arn:aws:s3:::a/→'])], DEADLINE));
    expect(error).toMatchObject({
      code: 'ERR_MAP_INVALID',
      message: '"scope" holds the character U+2192, which STS refuses in a session policy',
    });
    expect(sessionPolicy([entry(['arn:aws:s3:::é/ÿ'])], DEADLINE)).toContain('é/ÿ');
  });
});

describe('the plan', () => {
  test.each([
    {
      name: 'a role path is not in the principal',
      changes: { roleArn: 'arn:aws:iam::123456789012:role/team/web/deployer' },
      role: 'deployer',
    },
    {
      name: 'a name with every legal sign',
      changes: { roleArn: 'arn:aws:iam::123456789012:role/a+b=c,d.e@f-g_h' },
      role: 'a+b=c,d.e@f-g_h',
    },
  ])('$name', ({ changes, role }) => {
    expect(planExchange(issueRequest(changes)).role.name).toBe(role);
  });

  test.each([
    {
      name: 'a user for a role',
      changes: { roleArn: 'arn:aws:iam::123456789012:user/x' },
      code: 'ERR_MAP_INVALID',
    },
    { name: 'http to another machine', changes: { endpoint: 'http://10.0.0.1' }, code: 'ERR_MAP_INVALID' },
    { name: 'a file for an endpoint', changes: { endpoint: 'file:///tmp/x' }, code: 'ERR_MAP_INVALID' },
    { name: 'no URL', changes: { endpoint: 'sts' }, code: 'ERR_MAP_INVALID' },
  ])('refuses $name', async ({ changes, code }) => {
    expect(await errorOf(() => planExchange(issueRequest(changes)))).toMatchObject({ code });
  });

  test('refuses more than STS issues', async () => {
    expect(await errorOf(() => planExchange(issueRequest({}, 43_201)))).toMatchObject({
      code: 'ERR_PROVIDER_REFUSED',
      message: 'capability "publish-preview-build" asks for 43201 s; STS issues sessions of 12h at most',
    });
  });

  test('keeps the path of an endpoint', () => {
    const request = {
      ...issueRequest(),
      capability: capability(awsConfig({ endpoint: 'https://proxy.example/sts', roleArn: ROLE_ARN })),
    };
    expect(planExchange(request).endpoint.href).toBe('https://proxy.example/sts');
  });
});
