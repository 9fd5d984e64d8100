/** The table of STS errors by itself: every documented code has words, and AWS's own never pass through. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ERROR_TABLE } from '../../src/broker/providers/aws-sts/error-table.ts';
import { explainStsError } from '../../src/broker/providers/aws-sts/error-words.ts';
import { planExchange } from '../../src/broker/providers/aws-sts/plan.ts';
import type { Proof } from '../../src/broker/sources/proof.ts';
import { EXIT_STATUS } from '../../src/errors.ts';
import { issueRequest } from '../helpers/aws.ts';

const keys: Proof = {
  kind: 'keys',
  accessKeyId: 'ASIAQNXAMPLEKEY12345',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  sessionToken: 'IQoJb3JpZ2luX2VjEXAMPLE',
  longLived: false,
  label: 'env',
};
const token: Proof = {
  kind: 'token',
  token: 'header.payload.signature',
  claims: {
    issuer: 'https://issuer.example',
    subject: 'repo:acme/web-app:ref:refs/heads/main',
    audience: ['a'],
  },
  label: 'github-actions',
};
const plan = planExchange(issueRequest());
const base = { rawMessage: '', status: 403, skew: 0, plan, proof: keys };

test.each([
  ['RequestExpired', 'ERR_CLOCK_SKEW'],
  ['RequestTimeTooSkewed', 'ERR_CLOCK_SKEW'],
  ['RequestInTheFuture', 'ERR_CLOCK_SKEW'],
  ['IncompleteSignature', 'ERR_SOURCE_INVALID'],
  ['UnrecognizedClientException', 'ERR_SOURCE_INVALID'],
  ['AccessDeniedException', 'ERR_PROVIDER_REFUSED'],
  ['InvalidParameterValue', 'ERR_PROVIDER_REFUSED'],
  ['InvalidIdentityTokenException', 'ERR_SOURCE_INVALID'],
  ['PackedPolicyTooLargeException', 'ERR_PROVIDER_POLICY_TOO_LARGE'],
  ['TooManyRequestsException', 'ERR_PROVIDER_UNAVAILABLE'],
])('%s has words of its own', (code, error) => {
  const words = explainStsError({ ...base, code });
  expect(words.error).toBe(error);
  expect(words.message).not.toContain(code);
  expect(words.hint).toBeTypeOf('string');
});

test('a code without a row is named, by its kind', () => {
  expect(explainStsError({ ...base, code: 'NewCode' })).toMatchObject({
    error: 'ERR_PROVIDER_REFUSED',
    message: '"sts.us-east-1.amazonaws.com" refused AssumeRole with NewCode',
  });
  expect(explainStsError({ ...base, code: 'NewCode', status: 503 })).toMatchObject({
    error: 'ERR_PROVIDER_UNAVAILABLE',
    message: '"sts.us-east-1.amazonaws.com" answered 503 (NewCode)',
  });
});

test('a clock that nobody can size is still said', () => {
  expect(explainStsError({ ...base, code: 'RequestExpired', skew: null }).message).toBe(
    'clock of this machine is too far from that of STS, which refuses the signature for it',
  );
});

test('whatever AWS writes, no row repeats it, leaks the proof, or breaks the line', () => {
  const codes = [...new Set(ERROR_TABLE.flatMap((row) => row.codes)), 'NewCode'];
  const phrases = [
    'sts:TagSession',
    'sts:SetSourceIdentity',
    'root accounts',
    'MultiFactorAuthentication',
    'explicit deny in a session policy',
    'because no permissions boundary',
    'MaxSessionDuration',
    'role chaining',
    "at 'durationSeconds'",
    'No OpenIDConnect provider',
    'audience',
    'Signature expired: 20260101T000000Z is now earlier than x (20260101T001500Z - 5 min.)',
    '112% of',
    'User: arn:aws:iam::123456789012:user/x is not',
  ];
  const marked = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => `<<${text}>>`);
  fc.assert(
    fc.property(
      fc.constantFrom(...codes),
      fc.array(fc.oneof(fc.constantFrom(...phrases), marked), { maxLength: 5 }),
      fc.constantFrom(keys, token),
      fc.constantFrom(null, 0, 400, -400),
      (code, parts, proof, skew) => {
        const words = explainStsError({ ...base, code, rawMessage: parts.join(' '), proof, skew });
        expect(EXIT_STATUS[words.error]).toBe(123);
        for (const text of [words.message, words.hint ?? '']) {
          expect(text).not.toMatch(/<<|>>|[\r\n]/);
          expect(text).not.toMatch(/undefined|null|NaN|\[object/);
          for (const secret of [keys.secretAccessKey, keys.sessionToken ?? '', token.token])
            expect(text).not.toContain(secret);
        }
        expect(words.message).toMatch(/^(?:[a-z]+ )*"|^(?:scope|token|clock|issuer|account|region) /);
        expect(words.message).not.toMatch(/\.$/);
      },
    ),
    { numRuns: 500 },
  );
});
