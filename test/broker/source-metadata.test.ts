/** Sources `instance` and `container`: what the services beside a machine are asked, and what becomes of their answers. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readSource } from '../../src/broker/sources/read-source.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Source } from '../../src/policy/capability.ts';
import { afterTest } from '../helpers/after-test.ts';
import { brokerContext, errorOf } from '../helpers/aws.ts';
import { tempDir } from '../helpers/cli.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { type MetadataOptions, startMetadata } from '../issuers/aws-metadata/server.ts';
import type { TransportFault } from '../issuers/faults.ts';

async function service(options: MetadataOptions = {}) {
  const server = await startMetadata(options);
  afterTest(() => server.stop());
  return server;
}

/** The error of reading, which must hold no secret of the server. */
async function failure(
  server: { secrets(): readonly string[] },
  source: Source,
  env: Readonly<Record<string, string>> = {},
) {
  const error = await errorOf(() => readSource(source, brokerContext(env)));
  expectNowhere(server.secrets(), { texts: [inspect(error, { depth: 12, showHidden: true })] });
  return error;
}

const instance = (endpoint: string, role: string | null = null): Source => ({
  type: 'instance',
  role,
  endpoint,
});
const container = (endpoint: string | null = null): Source => ({ type: 'container', endpoint });
const RELATIVE = 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI';
const FULL = 'AWS_CONTAINER_CREDENTIALS_FULL_URI';
const TOKEN = 'AWS_CONTAINER_AUTHORIZATION_TOKEN';
const TOKEN_FILE = 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE';

describe('instance', () => {
  test('a token first, then the role, then its keys', async () => {
    const server = await service();
    const context = brokerContext({
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:9',
      http_proxy: 'http://127.0.0.1:9',
    });
    expect(await readSource(instance(server.url, 'ci-runner'), context)).toMatchObject({
      kind: 'keys',
      accessKeyId: 'ASIAQNXAMPLEKEY12345',
      longLived: false,
      label: 'instance:ci-runner',
    });
    expect(server.requests.map(({ route }) => route)).toEqual(['token', 'roles', 'keys']);
    expect(new Set(context.registered.map(({ value }) => value))).toEqual(
      new Set(server.secrets().filter((one) => one !== server.podToken && one !== server.ssoToken)),
    );
  });

  test.each<[string, MetadataOptions, string | null, ErrorCode, RegExp, RegExp]>([
    [
      'no role',
      { role: null },
      null,
      'ERR_SOURCE_UNAVAILABLE',
      /has no role/,
      /associate-iam-instance-profile/,
    ],
    ['another role', {}, 'deployer', 'ERR_SOURCE_INVALID', /has the role "ci-runner", not "deployer"$/, /./],
    ['a role that is none', { role: 'a b' }, null, 'ERR_SOURCE_UNAVAILABLE', /got no role/, /^undefined$/],
    [
      'no keys',
      { keys: { Code: 'AssumeRoleUnauthorizedAccess' } },
      null,
      'ERR_SOURCE_UNAVAILABLE',
      /may not assume/,
      /ec2/,
    ],
    [
      'keys that are over',
      { life: -5 },
      null,
      'ERR_SOURCE_INVALID',
      /holds a session that expired at/,
      /clock/,
    ],
    [
      'keys without an end',
      { keys: { Expiration: 'x' } },
      null,
      'ERR_SOURCE_INVALID',
      /without an end$/,
      /clock/,
    ],
    [
      'half a key',
      { keys: { SecretAccessKey: '' } },
      null,
      'ERR_SOURCE_UNAVAILABLE',
      /has no secret access key$/,
      /role/,
    ],
    [
      'a long-lived key',
      { keys: { AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' } },
      null,
      'ERR_SOURCE_LONG_LIVED',
      /is a long-lived access key$/,
      /./,
    ],
  ])('%s', async (_, options, role, code, message, hint) => {
    const server = await service(options);
    const error = await failure(server, instance(server.url, role));
    expect({ code: error.code, message: error.message }).toEqual({
      code,
      message: expect.stringMatching(message),
    });
    expect(String(error.hint)).toMatch(hint);
  });

  test.each<[string, TransportFault, RegExp]>([
    ['token', 'refused', /got no token: "127\.0\.0\.1:\d+" answered 403$/],
    ['token', 'redirect', /got no token: "127\.0\.0\.1:\d+" answered 307$/],
    ['token', 'html', /got no token: "127\.0\.0\.1:\d+" answered something else$/],
    ['token', 'reset_after_effect', /got no token: "127\.0\.0\.1:\d+" can't be reached$/],
    ['roles', 'server_error', /got no role: "127\.0\.0\.1:\d+" answered 500$/],
    ['keys', 'html', /got no keys: "127\.0\.0\.1:\d+" answered 200$/],
    ['keys', 'huge', /got no keys: "127\.0\.0\.1:\d+" can't be reached$/],
  ])('%s: %s', async (route, fault, message) => {
    const server = await service();
    server.fault({ route, fault });
    const error = await failure(server, instance(server.url));
    expect(error).toMatchObject({ code: 'ERR_SOURCE_UNAVAILABLE', message: expect.stringMatching(message) });
    expect(server.elsewhere).toEqual([]);
  });

  test('nobody there', async () => {
    const server = await startMetadata();
    await server.stop();
    expect((await failure(server, instance(server.url))).hint).toMatch(/^outside EC2 .*hop-limit 2$/);
  });
});

describe('container', () => {
  test('a task of ECS', async () => {
    const server = await service();
    const context = brokerContext({ [RELATIVE]: '/v2/credentials/0f-1', AWS_PROFILE: 'x' });
    expect(await readSource(container(server.url), context)).toMatchObject({
      kind: 'keys',
      label: 'container',
    });
    expect(server.requests.map(({ path }) => path)).toEqual(['/v2/credentials/0f-1']);
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
  });

  test('a pod of EKS, whose token is read anew from its file', async () => {
    const server = await service();
    const file = join(tempDir(), 'token');
    writeFileSync(file, `${server.podToken}\n`, { mode: 0o600 });
    const env = { [FULL]: `${server.url}/v1/credentials`, [TOKEN_FILE]: file, [TOKEN]: 'stale' };
    const context = brokerContext(env);
    await readSource(container(), context);
    expect(context.registered).toContainEqual({
      name: 'container_authorization_token',
      value: server.podToken,
    });
    writeFileSync(file, 'rotated-token-1\n');
    expect((await failure(server, container(), env)).message).toMatch(/answered 401$/);
    chmodSync(file, 0o644);
    expect(await failure(server, container(), env)).toMatchObject({
      code: 'ERR_SOURCE_INVALID',
      hint: /^chmod 600/,
    });
  });

  test.each<[string, Record<string, string>, ErrorCode, RegExp]>([
    ['nothing', {}, 'ERR_SOURCE_UNAVAILABLE', /has neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor/],
    ['both', { [RELATIVE]: '/x', [FULL]: 'http://127.0.0.1/x' }, 'ERR_SOURCE_INVALID', /has both/],
    ['a path that is a host', { [RELATIVE]: '@evil.example/x' }, 'ERR_SOURCE_INVALID', /that is no path$/],
    [
      'a host',
      { [FULL]: 'http://evil.example/x' },
      'ERR_SOURCE_INVALID',
      /is not http:\/\/ on one of 169\.254\.170\.2,/,
    ],
    [
      'a host over https',
      { [FULL]: 'https://evil.example/x' },
      'ERR_SOURCE_INVALID',
      /is not http:\/\/ on one of/,
    ],
    ['EC2', { [FULL]: 'http://169.254.169.254/x' }, 'ERR_SOURCE_INVALID', /is not http:\/\/ on one of/],
    [
      'a lookalike',
      { [FULL]: 'http://127.0.0.1.evil.example/x' },
      'ERR_SOURCE_INVALID',
      /is not http:\/\/ on one of/,
    ],
    ['a user', { [FULL]: 'http://a:b@127.0.0.1/x' }, 'ERR_SOURCE_INVALID', /is not http:\/\/ on one of/],
    ['no address', { [FULL]: 'x' }, 'ERR_SOURCE_INVALID', /is not http:\/\/ on one of/],
    [
      'no file',
      { [FULL]: 'http://127.0.0.1/x', [TOKEN_FILE]: '/nonexistent' },
      'ERR_SOURCE_UNAVAILABLE',
      /has no file/,
    ],
    ['two lines', { [FULL]: 'http://127.0.0.1/x', [TOKEN]: 'a\nx-y: z' }, 'ERR_SOURCE_INVALID', /line break/],
  ])('with %s', async (_, env, code, message) => {
    const error = await errorOf(() => readSource(container(), brokerContext(env)));
    expect({ code: error.code, message: error.message }).toEqual({
      code,
      message: expect.stringMatching(message),
    });
  });

  test.each<[TransportFault, RegExp]>([
    ['refused', /"127\.0\.0\.1:\d+" answered 403$/],
    ['redirect', /"127\.0\.0\.1:\d+" answered 307$/],
    ['html', /"127\.0\.0\.1:\d+" answered 200$/],
    ['truncated', /can't be reached$/],
  ])('%s', async (fault, message) => {
    const server = await service();
    server.fault({ route: 'agent', fault });
    const error = await failure(server, container(server.url), { [RELATIVE]: '/v2/credentials' });
    expect(error).toMatchObject({ code: 'ERR_SOURCE_UNAVAILABLE', message: expect.stringMatching(message) });
    expect(server.elsewhere).toEqual([]);
  });
});
