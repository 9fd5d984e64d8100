/** Source `env`: the caller's key variables. */
import { expect, test } from 'vitest';
import { readSource } from '../../src/broker/sources/read-source.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Source } from '../../src/policy/capability.ts';
import { brokerContext, errorOf } from '../helpers/aws.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { ID, LONG_LIVED_ID, PROOF, SECRET, TOKEN } from './key-sources.ts';

const env: Source = { type: 'env', longLived: false };

test('reads the three variables', async () => {
  const context = brokerContext({
    AWS_ACCESS_KEY_ID: ID,
    AWS_SECRET_ACCESS_KEY: SECRET,
    AWS_SESSION_TOKEN: TOKEN,
  });
  expect(await readSource(env, context)).toEqual({ ...PROOF, label: 'env' });
  expect(context.registered).toEqual([
    { name: 'source_secret_access_key', value: SECRET },
    { name: 'source_session_token', value: TOKEN },
  ]);
});

const cases: readonly { name: string; env: Record<string, string>; code: ErrorCode; message: string }[] = [
  {
    name: 'nothing',
    env: {},
    code: 'ERR_SOURCE_UNAVAILABLE',
    message: 'source "env" has no access key id',
  },
  {
    name: 'half a key',
    env: { AWS_ACCESS_KEY_ID: ID },
    code: 'ERR_SOURCE_UNAVAILABLE',
    message: 'source "env" has no secret access key',
  },
  {
    name: 'an empty secret',
    env: { AWS_ACCESS_KEY_ID: ID, AWS_SECRET_ACCESS_KEY: '' },
    code: 'ERR_SOURCE_UNAVAILABLE',
    message: 'source "env" has no secret access key',
  },
  {
    name: 'a temporary key without its token',
    env: { AWS_ACCESS_KEY_ID: ID, AWS_SECRET_ACCESS_KEY: SECRET },
    code: 'ERR_SOURCE_INVALID',
    message: 'source "env" holds a temporary key without its session token',
  },
  {
    name: 'a secret with a line break',
    env: { AWS_ACCESS_KEY_ID: ID, AWS_SECRET_ACCESS_KEY: `${SECRET}\n`, AWS_SESSION_TOKEN: TOKEN },
    code: 'ERR_SOURCE_INVALID',
    message: 'source "env" holds a key with a blank or control character in it',
  },
  {
    name: 'a long-lived key',
    env: { AWS_ACCESS_KEY_ID: LONG_LIVED_ID, AWS_SECRET_ACCESS_KEY: SECRET },
    code: 'ERR_SOURCE_LONG_LIVED',
    message: 'source "env" is a long-lived access key',
  },
  {
    name: 'a long-lived key that pretends',
    env: { AWS_ACCESS_KEY_ID: LONG_LIVED_ID, AWS_SECRET_ACCESS_KEY: SECRET, AWS_SESSION_TOKEN: TOKEN },
    code: 'ERR_SOURCE_LONG_LIVED',
    message: 'source "env" is a long-lived access key',
  },
];
test.each(cases)('refuses $name', async (row) => {
  const error = await errorOf(() => readSource(env, brokerContext(row.env)));
  expect({ code: error.code, message: error.message }).toEqual({ code: row.code, message: row.message });
  expect(error.hint).toBeTypeOf('string');
  expectNowhere([SECRET, TOKEN], { texts: [error.message, error.hint ?? '', String(error.stack)] });
});

test('takes a long-lived key that the map allows, and says so', async () => {
  const context = brokerContext({ AWS_ACCESS_KEY_ID: LONG_LIVED_ID, AWS_SECRET_ACCESS_KEY: SECRET });
  expect(await readSource({ type: 'env', longLived: true }, context)).toMatchObject({
    longLived: true,
    sessionToken: null,
  });
});
