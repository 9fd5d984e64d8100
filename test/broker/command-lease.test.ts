/** What a program may print as a lease, and what becomes of everything else. */
import { describe, expect, test } from 'vitest';
import { objectInBytes } from '../../src/base/json-object.ts';
import { readLease } from '../../src/broker/providers/command/lease-document.ts';
import { brokerContext } from '../helpers/aws.ts';

const EXPIRES = '2026-11-25T12:00:00Z';
const KEYS = {
  Version: 1,
  AccessKeyId: 'ASIAQNXAMPLEKEY12345',
  SecretAccessKey: 'wJalrXUtnFEMI/K7MDENG',
  SessionToken: 'IQoJb3JpZ2luX2Vj',
  Expiration: EXPIRES,
};

function read(document: Record<string, unknown>) {
  const context = brokerContext();
  return { lease: readLease(document, context), registered: context.registered };
}

test('values by name, with everything that may be said of them', () => {
  const { lease, registered } = read({
    capwrap_lease: 1,
    values: {
      username: { value: 'v-agent', secret: false },
      password: { value: 'hunter2-long', secret: true },
      'tls.key': { value: '-----BEGIN\nKEY-----\n', lines: true },
    },
    expires_at: '2026-11-25T13:00:00+01:00',
    principal: 'v-agent',
    scope: ['ledger:read'],
    handle: { lease_id: 'database/creds/x/1' },
  });
  expect(lease).toEqual({
    values: {
      username: { value: 'v-agent', secret: false },
      password: { value: 'hunter2-long', secret: true },
      'tls.key': { value: '-----BEGIN\nKEY-----\n', secret: true, lines: true },
    },
    defaultInject: {},
    expiresAt: new Date(EXPIRES),
    principal: 'v-agent',
    scope: ['ledger:read'],
    handle: { lease_id: 'database/creds/x/1' },
    fault: null,
  });
  expect(registered.map(({ name }) => name)).toEqual(['password', 'tls.key', 'tls.key']);
});

test('one token', () => {
  const { lease, registered } = read({ capwrap_lease: 1, token: 'tok-123456', expires_at: EXPIRES });
  expect(lease).toMatchObject({ values: { token: { value: 'tok-123456', secret: true } }, fault: null });
  expect(registered).toEqual([{ name: 'token', value: 'tok-123456' }]);
});

test('keys of AWS, under the names of AWS', () => {
  const { lease, registered } = read({ ...KEYS, AccountId: '123456789012' });
  expect(lease).toMatchObject({
    values: {
      access_key_id: { value: KEYS.AccessKeyId, secret: false },
      secret_access_key: { value: KEYS.SecretAccessKey, secret: true },
      session_token: { value: KEYS.SessionToken, secret: true },
      expiration: { value: EXPIRES, secret: false },
    },
    defaultInject: {
      AWS_ACCESS_KEY_ID: 'access_key_id',
      AWS_SECRET_ACCESS_KEY: 'secret_access_key',
      AWS_SESSION_TOKEN: 'session_token',
      AWS_CREDENTIAL_EXPIRATION: 'expiration',
    },
    expiresAt: new Date(EXPIRES),
    fault: null,
  });
  expect(registered.map(({ name }) => name)).toEqual(['secret_access_key', 'session_token']);
});

const OWN = {
  capwrap_lease: 1,
  values: { password: { value: 'hunter2-long', secret: true } },
  expires_at: EXPIRES,
};

describe('is refused', () => {
  test.each<[string, Record<string, unknown>, RegExp]>([
    ['without a version', { values: OWN.values }, /without "capwrap_lease": 1$/],
    ['of another version', { ...OWN, capwrap_lease: 2 }, /without "capwrap_lease": 1$/],
    ['with an unknown key', { ...OWN, ttl: 1 }, /a key that is none of capwrap_lease, values, token/],
    ['without values', { capwrap_lease: 1, expires_at: EXPIRES }, /neither "values" nor a "token"$/],
    ['with no value', { ...OWN, values: {} }, /printed no values/],
    ['with a list', { ...OWN, values: ['x'] }, /neither "values" nor a "token"$/],
    ['with both', { ...OWN, token: 't' }, /both "values" and "token"$/],
    ['with a number as token', { capwrap_lease: 1, token: 1 }, /"token" that is no text$/],
    ['with plain text as value', { ...OWN, values: { password: 'hunter2-long' } }, /not \{"value"/],
    [
      'with a misspelt mark',
      { ...OWN, values: { password: { value: 'x', Secret: false } } },
      /not \{"value"/,
    ],
    ['with an odd name', { ...OWN, values: { 'a b': { value: 'x' } } }, /under a name that is none$/],
    ['with a principal of two lines', { ...OWN, principal: 'a\nb' }, /"principal" that is no line/],
    ['with a scope of phrases', { ...OWN, scope: ['a b'] }, /"scope" that is no list of words$/],
    [
      'with a handle of other names',
      { ...OWN, handle: { password: 'x' } },
      /"handle" that is no mapping of id,/,
    ],
    [
      'with a handle of another lease',
      { ...OWN, handle: { capwrap_lease_id: 'x' } },
      /"handle" that is no mapping/,
    ],
    [
      'with a secret as principal',
      { ...OWN, principal: 'x hunter2-long' },
      /in a public part of the lease too$/,
    ],
    [
      'with a secret as handle',
      { ...OWN, handle: { id: 'hunter2-long' } },
      /in a public part of the lease too$/,
    ],
    [
      'with a long-lived key',
      { ...OWN, values: { k: { value: 'AKIAIOSFODNN7EXAMPLE' } } },
      /long-lived access key/,
    ],
    ['of AWS, without a version', { ...KEYS, Version: undefined }, /without "Version": 1$/],
    ['of AWS, with another version', { ...KEYS, Version: '1' }, /without "Version": 1$/],
    ['of AWS, without a token', { ...KEYS, SessionToken: undefined }, /without its "SessionToken"$/],
    ['of AWS, without a secret', { ...KEYS, SecretAccessKey: 7 }, /without its "SecretAccessKey"$/],
    ['of AWS, with no id', { ...KEYS, AccessKeyId: 'x' }, /"AccessKeyId" that is none$/],
    [
      'of AWS, and long-lived',
      { ...KEYS, AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' },
      /long-lived access key \(AKIA/,
    ],
  ])('%s', (_, document, text) => {
    const { lease, registered } = read(document);
    expect(lease.fault?.code).toBe('ERR_PROVIDER_INVALID_RESPONSE');
    expect(lease.fault?.text).toMatch(text);
    expect({ ...lease, fault: null, expiresAt: null }).toEqual({
      values: {},
      defaultInject: {},
      expiresAt: null,
      principal: null,
      scope: null,
      handle: null,
      fault: null,
    });
    const secrets =
      JSON.stringify(document).match(/hunter2-long|wJalrXUtnFEMI\/K7MDENG|IQoJb3JpZ2luX2Vj/g) ?? [];
    for (const secret of secrets) expect(registered.map(({ value }) => value)).toContain(secret);
  });
});

test.each([
  undefined,
  null,
  1_793_000_000,
  'tomorrow',
  '2026-11-25',
  '2026-11-25T12:00:00',
  '2026-13-25T12:00:00Z',
])('has no expiry with %s', (expires_at) => {
  const { lease } = read({ ...OWN, expires_at });
  expect(lease.expiresAt.getTime()).toBeNaN();
  expect(read({ ...KEYS, Expiration: expires_at }).lease.expiresAt.getTime()).toBeNaN();
});

test.each(['', 'null', '[]', '"x"', '{"a":1} x', '{"a":"\\', Buffer.from([0x7b, 0xff, 0x7d])])(
  '%j is no document',
  (output) => {
    expect(objectInBytes(Buffer.from(output as string))).toBeNull();
  },
);
