/** What a token must look like before it is sent, whatever source it comes from. */
import { beforeAll, describe, expect, test } from 'vitest';
import { readSource } from '../../src/broker/sources/read-source.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Source } from '../../src/policy/capability.ts';
import { brokerContext, errorOf, type TestIssuer, testIssuer } from '../helpers/aws.ts';
import { expectNowhere } from '../helpers/secrets.ts';

let issuer: TestIssuer;
let token: string;
beforeAll(async () => {
  issuer = await testIssuer();
  token = await issuer.sign();
});

const variable: Source = { type: 'token-env', variable: 'OIDC', audience: null };
const now = () => Math.floor(Date.now() / 1000);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a token', () => {
  test.each(['', '\n', '\r\n'])('is taken with %j after it', async (end) => {
    const context = brokerContext({ OIDC: token + end });
    expect(await readSource(variable, context)).toEqual({
      kind: 'token',
      token,
      claims: {
        issuer: 'https://token.actions.githubusercontent.com',
        subject: 'repo:acme/web-app:ref:refs/heads/main',
        audience: ['sts.amazonaws.com'],
      },
      label: 'token-env:OIDC',
    });
    expect(context.registered).toEqual([{ name: 'source_token', value: token }]);
  });

  const cases: readonly {
    name: string;
    make: () => string | Promise<string>;
    code: ErrorCode;
    message: string | RegExp;
  }[] = [
    {
      name: 'nothing',
      make: () => '\n',
      code: 'ERR_SOURCE_UNAVAILABLE',
      message: 'token of source "token-env:OIDC" is empty',
    },
    {
      name: 'a word',
      make: () => 'ghp_0123456789abcdef',
      code: 'ERR_SOURCE_INVALID',
      message: 'token of source "token-env:OIDC" is not a signed JSON web token',
    },
    {
      name: 'a header value',
      make: () => `Bearer ${token}`,
      code: 'ERR_SOURCE_INVALID',
      message: /is not a signed JSON web token$/,
    },
    {
      name: 'two lines',
      make: () => `${token}\n\n`,
      code: 'ERR_SOURCE_INVALID',
      message: /is not a signed JSON web token$/,
    },
    {
      name: 'no signature',
      make: () => `${encode({ alg: 'none' })}.${encode({ iss: 'x' })}.`,
      code: 'ERR_SOURCE_INVALID',
      message: /is not a signed JSON web token$/,
    },
    {
      name: 'a payload that is no object',
      make: () => `${encode({ alg: 'x' })}.${encode([1])}.abc`,
      code: 'ERR_SOURCE_INVALID',
      message: /is not a signed JSON web token$/,
    },
    {
      name: 'more than STS takes',
      make: () => `${token}${'x'.repeat(20_001)}`,
      code: 'ERR_SOURCE_INVALID',
      message: /is \d{5} characters long; 20000 is the limit$/,
    },
    {
      name: 'no expiry',
      make: () => issuer.sign({ exp: undefined }),
      code: 'ERR_SOURCE_INVALID',
      message: /has no expiry \("exp" claim\)$/,
    },
    {
      name: 'an expiry in the past',
      make: () => issuer.sign({ exp: now() - 300 }),
      code: 'ERR_SOURCE_INVALID',
      message: /expired 30\d s ago$/,
    },
    {
      name: 'a start in the future',
      make: () => issuer.sign({ nbf: now() + 600 }),
      code: 'ERR_SOURCE_INVALID',
      message: /is valid only in (?:599|600) s$/,
    },
    {
      name: 'no subject',
      make: () => issuer.sign({ sub: '' }),
      code: 'ERR_SOURCE_INVALID',
      message: /has no usable "sub" claim$/,
    },
    {
      name: 'no issuer',
      make: () => `${encode({ alg: 'x' })}.${encode({ sub: 'x', aud: 'y', exp: now() + 60 })}.abc`,
      code: 'ERR_SOURCE_INVALID',
      message: /has no usable "iss" claim$/,
    },
    {
      name: 'an audience that is a number',
      make: () => issuer.sign({ aud: [1] }),
      code: 'ERR_SOURCE_INVALID',
      message: /has no usable "aud" claim$/,
    },
  ];
  test.each(cases)('with $name is refused', async ({ make, code, message }) => {
    const text = await make();
    const error = await errorOf(() => readSource(variable, brokerContext({ OIDC: text })));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    if (text.trim().length > 20)
      expectNowhere([text.trim()], { texts: [error.message, error.hint ?? '', String(error.stack)] });
  });

  test('a little over is left to the issuer, whose clock counts', async () => {
    const late = await issuer.sign({ exp: now() - 30 });
    expect(await readSource(variable, brokerContext({ OIDC: late }))).toMatchObject({ token: late });
  });

  test('must be for the audience that the map names', async () => {
    const many = await issuer.sign({ aud: ['a', 'sts.amazonaws.com'] });
    const named: Source = { ...variable, audience: 'sts.amazonaws.com' };
    expect(await readSource(named, brokerContext({ OIDC: many }))).toMatchObject({ token: many });
    const error = await errorOf(() =>
      readSource({ ...variable, audience: 'other' }, brokerContext({ OIDC: many })),
    );
    expect(error).toMatchObject({
      code: 'ERR_SOURCE_INVALID',
      message: 'token of source "token-env:OIDC" is for audience "a, sts.amazonaws.com", not "other"',
    });
  });

  test('in no variable at all', async () => {
    expect(await errorOf(() => readSource(variable, brokerContext({})))).toMatchObject({
      code: 'ERR_SOURCE_UNAVAILABLE',
      message: 'variable "OIDC" is not set',
    });
  });
});
