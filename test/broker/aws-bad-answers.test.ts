/** Answers that are none, or not the one asked for: nonsense, half an answer, another's session, another time. */
import { describe } from 'vitest';
import { LEASE_ID } from '../helpers/aws.ts';
import { testFailures } from './aws-failures.ts';

const SESSION = `arn:aws:sts::123456789012:assumed-role/preview-deployer/agent-${LEASE_ID}`;
const UNSEEN = new RegExp(
  `; a session "agent-${LEASE_ID}" may have been issued unseen and would expire by 20\\d\\d-`,
);

describe('no answer of STS', () => {
  testFailures([
    {
      name: 'a gateway’s page',
      fault: { kind: 'html' },
      code: 'ERR_PROVIDER_UNAVAILABLE',
      message: /answered 503; a session/,
      mayExist: true,
    },
    {
      name: 'a page that looks like success',
      fault: {
        kind: 'body',
        status: 200,
        body: '<html><body>Log in to the hotel network</body></html>',
        headers: { 'content-type': 'text/html' },
      },
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
    {
      name: 'an answer cut short',
      fault: { kind: 'truncated' },
      code: 'ERR_PROVIDER_UNAVAILABLE',
      message: /closed the connection before its answer was complete; a session/,
      mayExist: true,
    },
    {
      name: 'an answer without end',
      fault: { kind: 'huge', bytes: 3 * 1024 * 1024 },
      code: 'ERR_PROVIDER_INVALID_RESPONSE',
      message: /sent an answer of more than 1 MiB; a session/,
      mayExist: true,
    },
    {
      name: 'a redirect',
      fault: { kind: 'redirect', to: 'http://127.0.0.1:9/' },
      code: 'ERR_PROVIDER_INVALID_RESPONSE',
      message: /answered 307, a redirect, which is not followed$/,
    },
    {
      name: 'a reset before the effect',
      fault: { kind: 'reset', when: 'before' },
      code: 'ERR_PROVIDER_UNAVAILABLE',
      message: UNSEEN,
      mayExist: true,
    },
    {
      name: 'a reset after the effect',
      fault: { kind: 'reset', when: 'after-effect' },
      code: 'ERR_PROVIDER_UNAVAILABLE',
      message: UNSEEN,
      mayExist: true,
    },
  ]);
});

describe('a session that was not asked for', () => {
  testFailures([
    {
      name: 'another role’s session',
      fault: { kind: 'rewrite', elements: { Arn: 'arn:aws:sts::123456789012:assumed-role/admin/agent-1' } },
      code: 'ERR_PROVIDER_WRONG_PRINCIPAL',
      message: new RegExp(
        `issued a credential for "arn:aws:sts::123456789012:assumed-role/admin/agent-1", not for "${SESSION}"$`,
      ),
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
    {
      name: 'no expiry',
      fault: { kind: 'rewrite', elements: { Expiration: null } },
      code: 'ERR_PROVIDER_EXPIRY',
      message: /issued a credential without an expiry$/,
      mayExist: true,
    },
    {
      name: 'an unreadable expiry',
      fault: { kind: 'rewrite', elements: { Expiration: 'soon' } },
      code: 'ERR_PROVIDER_INVALID_RESPONSE',
      message: /answered 200 with something/,
      mayExist: true,
    },
    {
      name: 'an expiry in the past',
      fault: { kind: 'rewrite', elements: { Expiration: '2020-01-01T00:00:00Z' } },
      code: 'ERR_PROVIDER_EXPIRY',
      message: /issued a credential that expired at 2020-01-01T00:00:00\.000Z$/,
      mayExist: true,
    },
    {
      name: 'an expiry beyond what was asked',
      fault: { kind: 'rewrite', elements: { Expiration: '2099-01-01T00:00:00Z' } },
      code: 'ERR_PROVIDER_EXPIRY',
      message: /issued a credential for \d+ s; 900 s were asked for$/,
      mayExist: true,
    },
  ]);
});
