/** Source `sso`: what `aws sso login` has left, and what the portal is asked with it. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { readSource } from '../../src/broker/sources/read-source.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Source } from '../../src/policy/capability.ts';
import { afterTest } from '../helpers/after-test.ts';
import { brokerContext, errorOf } from '../helpers/aws.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { startMetadata } from '../issuers/aws-metadata/server.ts';
import type { TransportFault } from '../issuers/faults.ts';
import { home } from './key-sources.ts';

const START = 'https://acme.awsapps.com/start';
const SESSION = `[sso-session acme]\nsso_start_url = ${START}\nsso_region = eu-west-1\n`;
const PROFILE =
  '[profile dev]\nsso_session = acme\nsso_account_id = 123456789012\nsso_role_name = Deployer\n';
const IN_AN_HOUR = () => new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z');

interface Setup {
  readonly config?: string;
  readonly cached?: Readonly<Record<string, unknown>> | null;
  readonly key?: string;
  readonly mode?: number;
  readonly life?: number;
}

/** A home in which somebody has signed in, and the portal. */
async function signedIn({
  config = PROFILE + SESSION,
  cached = {},
  key = 'acme',
  mode = 0o600,
  life = 3600,
}: Setup = {}) {
  const server = await startMetadata({ life });
  afterTest(() => server.stop());
  const folder = home({ config });
  const cache = join(folder, '.aws', 'sso', 'cache');
  mkdirSync(cache, { recursive: true });
  const login = {
    startUrl: START,
    region: 'eu-west-1',
    accessToken: server.ssoToken,
    expiresAt: IN_AN_HOUR(),
  };
  const more = { clientSecret: server.secret('client-'), refreshToken: server.secret('refresh-') };
  const file = join(cache, `${createHash('sha1').update(key).digest('hex')}.json`);
  if (cached !== null) writeFileSync(file, JSON.stringify({ ...login, ...more, ...cached }), { mode });
  const source: Source = {
    type: 'sso',
    profile: 'dev',
    configFile: null,
    cacheDir: null,
    endpoint: server.url,
  };
  return {
    server,
    source,
    context: brokerContext({ HOME: folder, AWS_PROFILE: 'x', AWS_CONFIG_FILE: '/nonexistent' }),
  };
}

test.each<[string, Setup]>([
  ['a session', {}],
  [
    'a profile of the older form',
    {
      config: `[profile dev]\nsso_start_url = ${START}\nsso_region = eu-west-1\nsso_account_id = 123456789012\nsso_role_name = Deployer\n`,
      key: START,
      cached: { expiresAt: IN_AN_HOUR().replace('Z', 'UTC') },
    },
  ],
])('from %s', async (_, setup) => {
  const { server, source, context } = await signedIn(setup);
  expect(await readSource(source, context)).toMatchObject({
    kind: 'keys',
    accessKeyId: 'ASIAQNXAMPLEKEY12345',
    longLived: false,
    label: 'sso:dev',
  });
  expect(server.requests.map(({ path, search }) => path + search)).toEqual([
    '/federation/credentials?role_name=Deployer&account_id=123456789012',
  ]);
  const registered = context.registered.map(({ value }) => value);
  for (const secret of server.secrets().filter((one) => one !== server.podToken))
    expect(registered).toContain(secret);
});

const LOGIN = /^aws sso login --profile dev$/;

test.each<[string, Setup, ErrorCode, RegExp, RegExp]>([
  ['nobody has signed in', { cached: null }, 'ERR_SOURCE_UNAVAILABLE', /is not signed in$/, LOGIN],
  [
    'the sign-in is over',
    { cached: { expiresAt: '2020-01-01T00:00:00Z' } },
    'ERR_SOURCE_INVALID',
    /holds a sign-in that expired at 2020-01-01T00:00:00\.000Z$/,
    LOGIN,
  ],
  ['the sign-in has no end', { cached: { expiresAt: null } }, 'ERR_SOURCE_INVALID', /without an end$/, LOGIN],
  [
    'the token is none',
    { cached: { accessToken: 'a\nb-secret' } },
    'ERR_SOURCE_INVALID',
    /no token of a sign-in$/,
    LOGIN,
  ],
  [
    'it is elsewhere',
    { cached: { startUrl: 'https://x.awsapps.com/start' } },
    'ERR_SOURCE_INVALID',
    /another start URL$/,
    LOGIN,
  ],
  [
    'the file is open to others',
    { mode: 0o644 },
    'ERR_SOURCE_INVALID',
    /holds a secret and can be read by others$/,
    /^chmod 600/,
  ],
  [
    'the portal does not know it',
    { cached: { accessToken: 'revoked-token' } },
    'ERR_SOURCE_INVALID',
    /not accepted any more$/,
    LOGIN,
  ],
  [
    'the role is not assigned',
    { config: PROFILE.replace('Deployer', 'Admin') + SESSION },
    'ERR_SOURCE_INVALID',
    /may not use the role "Admin" in account 123456789012$/,
    /sso_role_name/,
  ],
  [
    'there is no profile',
    { config: SESSION },
    'ERR_SOURCE_UNAVAILABLE',
    /^profile "dev" is not in /,
    /^aws configure sso/,
  ],
  [
    'the profile has no role',
    { config: `${PROFILE.replace(/sso_role.*\n/, '')}${SESSION}` },
    'ERR_SOURCE_INVALID',
    /no usable sso_role_name in profile "dev"$/,
    /^aws configure sso/,
  ],
  [
    'there is no session',
    { config: PROFILE },
    'ERR_SOURCE_INVALID',
    /no usable sso_start_url in sso-session "acme"$/,
    /^aws configure sso/,
  ],
  [
    'the region is a host',
    { config: PROFILE + SESSION.replace('eu-west-1', 'evil.example/') },
    'ERR_SOURCE_INVALID',
    /no usable sso_region in sso-session "acme"$/,
    /^aws configure sso/,
  ],
  ['the keys are over', { life: -5 }, 'ERR_SOURCE_INVALID', /holds a session that expired at/, LOGIN],
])('%s', async (_, setup, code, message, hint) => {
  const { server, source, context } = await signedIn(setup);
  const error = await errorOf(() => readSource(source, context));
  expect({ code: error.code, message: error.message }).toEqual({
    code,
    message: expect.stringMatching(message),
  });
  expect(error.hint).toMatch(hint);
  expectNowhere([...server.secrets(), 'b-secret-'], {
    texts: [inspect(error, { depth: 12, showHidden: true })],
  });
});

test.each<[TransportFault, RegExp]>([
  ['throttled', /got no keys: "127\.0\.0\.1:\d+" is throttling$/],
  ['server_error', /got no keys: "127\.0\.0\.1:\d+" answered 500$/],
  ['html', /with something that is not a JSON object$/],
  ['redirect', /a redirect, which is not followed$/],
  ['truncated', /closed the connection before its answer was complete$/],
])('the portal: %s', async (fault, message) => {
  const { server, source, context } = await signedIn();
  server.fault({ route: 'portal', fault });
  const error = await errorOf(() => readSource(source, context));
  expect(error).toMatchObject({ code: 'ERR_SOURCE_UNAVAILABLE', message: expect.stringMatching(message) });
  expect(server.elsewhere).toEqual([]);
  expectNowhere(server.secrets(), { texts: [inspect(error, { depth: 12, showHidden: true })] });
});
