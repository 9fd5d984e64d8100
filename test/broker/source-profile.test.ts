/** Source `profile`: keys of the shared config files, and what is refused instead of followed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readSource } from '../../src/broker/sources/read-source.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { brokerContext, errorOf } from '../helpers/aws.ts';
import { home, ID, KEYS, LONG_LIVED_ID, PROOF, profile, SECRET } from './key-sources.ts';

describe('profile', () => {
  test.each([
    { name: 'the credentials file', files: { credentials: `[agent-base]\n${KEYS}` } },
    { name: 'the config file', files: { config: `[profile agent-base]\nregion = eu-west-1\n${KEYS}` } },
    {
      name: 'both, the credentials file first',
      files: {
        config:
          '[profile agent-base]\naws_access_key_id = ASIAOTHEROTHEROTHER1\naws_secret_access_key = other\n',
        credentials: `[agent-base]\n${KEYS}`,
      },
    },
    {
      name: 'comments, blanks and Windows line ends',
      files: {
        credentials: `# made by hand\r\n[other]\r\naws_access_key_id=x\r\n\r\n  [agent-base]  \r\n; here\r\n${KEYS.replaceAll(' = ', '=').replaceAll('\n', '\r\n')}`,
      },
    },
  ])('from $name', async ({ files }) => {
    expect(await readSource(profile(), brokerContext({ HOME: home(files) }))).toEqual(PROOF);
  });

  test('from the files that the map names, whatever the variables say', async () => {
    const folder = home({ config: '[profile x]\n', credentials: `[agent-base]\n${KEYS}` });
    const poisoned = home({ credentials: `[agent-base]\n${KEYS.replace(ID, 'ASIAPOISONPOISON1234')}` });
    const context = brokerContext({
      HOME: poisoned,
      AWS_PROFILE: 'other',
      AWS_CONFIG_FILE: join(poisoned, '.aws', 'config'),
      AWS_SHARED_CREDENTIALS_FILE: join(poisoned, '.aws', 'credentials'),
      AWS_ACCESS_KEY_ID: 'ASIAPOISONPOISON1234',
    });
    const source = profile({
      configFile: join(folder, '.aws', 'config'),
      credentialsFile: join(folder, '.aws', 'credentials'),
    });
    expect(await readSource(source, context)).toEqual(PROOF);
  });

  test('is read anew each time', async () => {
    const folder = home({ credentials: `[agent-base]\n${KEYS}` });
    await readSource(profile(), brokerContext({ HOME: folder }));
    const rotated = KEYS.replace(ID, 'ASIAROTATEDROTATED12');
    writeFileSync(join(folder, '.aws', 'credentials'), `[agent-base]\n${rotated}`);
    expect(await readSource(profile(), brokerContext({ HOME: folder }))).toMatchObject({
      accessKeyId: 'ASIAROTATEDROTATED12',
    });
  });

  const indirect: readonly {
    name: string;
    config: string;
    code: ErrorCode;
    message: string;
    hint: RegExp;
  }[] = [
    {
      name: 'a program',
      config: 'credential_process = /usr/bin/true',
      code: 'ERR_SOURCE_INVALID',
      message:
        'source "profile:agent-base" runs a program to get its keys, and capwrap starts no process but the command',
      hint: /source: \{type: env\}; or .* provider: command$/,
    },
    {
      name: 'single sign-on',
      config:
        'sso_session = acme\nsso_account_id = 123456789012\n[sso-session acme]\nsso_start_url = https://acme.awsapps.com/start',
      code: 'ERR_SOURCE_INVALID',
      message:
        'source "profile:agent-base" signs in through IAM Identity Center, which is a source of its own',
      hint: /^source: \{type: sso, profile: agent-base\}$/,
    },
    {
      name: 'a console sign-in',
      config: 'login_session = arn:aws:iam::123456789012:user/someone',
      code: 'ERR_SOURCE_INVALID',
      message: 'source "profile:agent-base" signs in through the AWS console, which this source does not do',
      hint: /^eval/,
    },
    {
      name: 'a chain of roles',
      config: 'role_arn = arn:aws:iam::123456789012:role/x\nsource_profile = base',
      code: 'ERR_SOURCE_INVALID',
      message: 'source "profile:agent-base" assumes a role of its own, which would chain two roles',
      hint: /^name the base profile: source: \{type: profile, profile: base\}$/,
    },
    {
      name: 'the machine’s own role',
      config: 'role_arn = arn:aws:iam::123456789012:role/x\ncredential_source = Ec2InstanceMetadata',
      code: 'ERR_SOURCE_INVALID',
      message: 'source "profile:agent-base" gets its keys from the machine or the container it runs on',
      hint: /^source: \{type: instance\}$/,
    },
    {
      name: 'the task’s own role',
      config: 'role_arn = arn:aws:iam::123456789012:role/x\ncredential_source = EcsContainer',
      code: 'ERR_SOURCE_INVALID',
      message: 'source "profile:agent-base" gets its keys from the machine or the container it runs on',
      hint: /^source: \{type: container\}$/,
    },
    {
      name: 'a token file',
      config: 'role_arn = arn:aws:iam::123456789012:role/x\nweb_identity_token_file = /var/run/token',
      code: 'ERR_SOURCE_INVALID',
      message: 'source "profile:agent-base" gets its keys with a web identity token',
      hint: /source: \{type: web-identity-file, path: \/var\/run\/token\}$/,
    },
    {
      name: 'nothing',
      config: 'region = eu-west-1',
      code: 'ERR_SOURCE_UNAVAILABLE',
      message: 'source "profile:agent-base" holds no keys',
      hint: /^put temporary keys there \(aws_access_key_id, /,
    },
  ];
  test.each(indirect)('that has $name behind it is refused with what to write', async (row) => {
    const folder = home({ config: `[profile agent-base]\n${row.config}\n` });
    const error = await errorOf(() => readSource(profile(), brokerContext({ HOME: folder })));
    expect({ code: error.code, message: error.message }).toEqual({ code: row.code, message: row.message });
    expect(error.hint).toMatch(row.hint);
  });

  test.each([
    { name: 'no files', files: {}, hint: /^name a profile with temporary keys/ },
    {
      name: 'other profiles',
      files: { config: '[profile a]\nregion=x\n[sso-session s]\nx=y\n', credentials: '[b]\nx=y\n' },
      hint: /^profiles there: b, a$/,
    },
  ])('that is missing among $name', async ({ files, hint }) => {
    const folder = home(files);
    const error = await errorOf(() => readSource(profile(), brokerContext({ HOME: folder })));
    expect(error.code).toBe('ERR_SOURCE_UNAVAILABLE');
    expect(error.message).toBe(
      `profile "agent-base" is neither in ${folder}/.aws/credentials nor in ${folder}/.aws/config`,
    );
    expect(error.hint).toMatch(hint);
  });

  test('whose named file does not exist says which', async () => {
    const source = profile({ credentialsFile: '/nonexistent/credentials' });
    const error = await errorOf(() => readSource(source, brokerContext({ HOME: home({}) })));
    expect(error.code).toBe('ERR_SOURCE_UNAVAILABLE');
    expect(error.message).toBe(
      '"/nonexistent/credentials" does not exist, which the source names as credentials_file',
    );
  });

  test('that a variable was to point at says that it does not', async () => {
    const context = brokerContext({ HOME: home({}), AWS_SHARED_CREDENTIALS_FILE: '/elsewhere' });
    const error = await errorOf(() => readSource(profile(), context));
    expect(error.hint).toMatch(/^AWS_SHARED_CREDENTIALS_FILE does not steer capwrap/);
  });

  test.each(['__proto__', 'constructor', 'toString'])('named %s is just not there', async (name) => {
    const folder = home({ credentials: `[agent-base]\n${KEYS}` });
    const error = await errorOf(() =>
      readSource(profile({ profile: name }), brokerContext({ HOME: folder })),
    );
    expect(error.code).toBe('ERR_SOURCE_UNAVAILABLE');
  });

  test('that is long-lived is refused unless allowed', async () => {
    const folder = home({
      credentials: `[agent-base]\naws_access_key_id=${LONG_LIVED_ID}\naws_secret_access_key=${SECRET}\n`,
    });
    expect(await errorOf(() => readSource(profile(), brokerContext({ HOME: folder })))).toMatchObject({
      code: 'ERR_SOURCE_LONG_LIVED',
      hint: expect.stringContaining('long_lived: allow'),
    });
    expect(await readSource(profile({ longLived: true }), brokerContext({ HOME: folder }))).toMatchObject({
      longLived: true,
    });
  });
});
