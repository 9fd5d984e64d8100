import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PREVIEW_DEPLOYER, previewDeployer } from '../../examples/sandbox/accounts.ts';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import { element, FORM, form, type RawReply, send, sign, sts } from './requests.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({
    roles: [previewDeployer({ maxSessionDuration: 7200 })],
    disabledRegions: ['af-south-1'],
  });
});
afterAll(() => sandbox.stop());

type Parameters = Readonly<Record<string, string | undefined>>;
const ASSUME: Parameters = {
  Action: 'AssumeRole',
  RoleArn: PREVIEW_DEPLOYER,
  RoleSessionName: 'agent-1',
  DurationSeconds: '900',
};
const assume = (parameters: Parameters): Promise<RawReply> =>
  sts(sandbox, sandbox.credentials.base, { ...ASSUME, ...parameters });

const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::acme-previews/*' }],
});
/** A valid policy of exactly so many characters. */
const policyOf = (length: number) => POLICY.replace('{', `{${' '.repeat(length - POLICY.length)}`);
const tags = (pairs: readonly (readonly [string, string])[]) =>
  Object.fromEntries(
    pairs.flatMap(([key, value], index) => [
      [`Tags.member.${index + 1}.Key`, key],
      [`Tags.member.${index + 1}.Value`, value],
    ]),
  );

describe('a limit that is kept', () => {
  test.each<[string, Parameters]>([
    ['the shortest session name', { RoleSessionName: 'ab' }],
    ['the longest session name', { RoleSessionName: 'a'.repeat(64) }],
    ['every character of a session name', { RoleSessionName: 'aZ09_+=,.@-' }],
    ["the role's maximum duration", { DurationSeconds: '7200' }],
    ['no duration', { DurationSeconds: undefined }],
    ['a policy of 2,048 characters', { Policy: policyOf(2048) }],
    ['50 tags', tags(Array.from({ length: 50 }, (_, index) => [`k${index}`, 'v']))],
    ['the longest tag', tags([['k'.repeat(128), 'v'.repeat(256)]])],
    ['an empty value of a tag', tags([['k', '']])],
    ['every kind of character in a tag', tags([['Äé 1_.:/=+-@', 'Äé 1_.:/=+-@']])],
    ['a source identity', { SourceIdentity: 'agent@acme' }],
    ['an external id that the role does not ask for', { ExternalId: 'a:b/c' }],
    ['a transitive tag', { ...tags([['Task', 'x']]), 'TransitiveTagKeys.member.1': 'Task' }],
  ])('%s', async (_, parameters) => {
    expect(await assume(parameters)).toMatchObject({ status: 200, code: null });
  });
});

const invalid = [400, 'ValidationError'] as const;

describe('a limit that is broken', () => {
  test.each<[string, Parameters, readonly [number, string], RegExp]>([
    ['no role', { RoleArn: undefined }, invalid, /'roleArn' failed .* must not be null/],
    ['a role that is no ARN', { RoleArn: 'role/preview-deployer-role' }, invalid, /is invalid/],
    ['a short role', { RoleArn: 'arn:aws:iam::1:role' }, invalid, /length greater than or equal to 20/],
    ['no session name', { RoleSessionName: undefined }, invalid, /'roleSessionName' failed/],
    ['a short session name', { RoleSessionName: 'a' }, invalid, /length greater than or equal to 2/],
    ['a long session name', { RoleSessionName: 'a'.repeat(65) }, invalid, /length less than or equal to 64/],
    ['a session name with a slash', { RoleSessionName: 'feat/x' }, invalid, /regular expression pattern/],
    ['a session name with a line end', { RoleSessionName: 'ab\n' }, invalid, /regular expression pattern/],
    ['a session name with an umlaut', { RoleSessionName: 'äb' }, invalid, /regular expression pattern/],
    ['two faults at once', { RoleSessionName: '/' }, invalid, /^2 validation errors detected: /],
    ['a duration of 899 s', { DurationSeconds: '899' }, invalid, /greater than or equal to 900/],
    ['a duration of 43,201 s', { DurationSeconds: '43201' }, invalid, /less than or equal to 43200/],
    [
      "a duration over the role's maximum",
      { DurationSeconds: '7201' },
      invalid,
      /exceeds the MaxSessionDuration/,
    ],
    ['a duration that is no integer', { DurationSeconds: '900.5' }, invalid, /not an integer/],
    [
      'a policy of 2,049 characters',
      { Policy: policyOf(2049) },
      invalid,
      /length less than or equal to 2048/,
    ],
    [
      'a policy outside Latin-1',
      { Policy: POLICY.replace('previews', 'preview€') },
      invalid,
      /regular expression/,
    ],
    ['a policy that is no JSON', { Policy: '{' }, [400, 'MalformedPolicyDocument'], /invalid Json/],
    [
      'a policy without a resource',
      { Policy: POLICY.replace('Resource', 'Res') },
      [400, 'MalformedPolicyDocument'],
      /Syntax/,
    ],
    [
      'a managed policy',
      { 'PolicyArns.member.1.arn': 'arn:aws:iam::aws:policy/x' },
      invalid,
      /does not exist/,
    ],
    ['51 tags', tags(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v'])), invalid, /at most 50/],
    ['a key of 129 characters', tags([['k'.repeat(129), 'v']]), invalid, /Invalid tag key/],
    ['an empty key', tags([['', 'v']]), invalid, /Invalid tag key/],
    ['a value of 257 characters', tags([['k', 'v'.repeat(257)]]), invalid, /Invalid value/],
    ['a character that tags do not have', tags([['k', 'a,b']]), invalid, /Invalid value/],
    ['a reserved key', tags([['AWS:k', 'v']]), invalid, /reserved prefix/],
    [
      'one key in two cases',
      tags([
        ['Key', 'a'],
        ['kEY', 'b'],
      ]),
      invalid,
      /Duplicate tag keys/,
    ],
    ['a key without a value', { 'Tags.member.1.Key': 'k' }, invalid, /a Key and a Value/],
    [
      'a gap in the numbering',
      { 'Tags.member.2.Key': 'k', 'Tags.member.2.Value': 'v' },
      invalid,
      /Key and a Value|numbered/,
    ],
    ['a transitive key that is no tag', { 'TransitiveTagKeys.member.1': 'k' }, invalid, /not among the tags/],
    ['a short source identity', { SourceIdentity: 'a' }, invalid, /'sourceIdentity' failed/],
    ['a reserved source identity', { SourceIdentity: 'aws:x' }, invalid, /pattern/],
    ['a short external id', { ExternalId: 'a' }, invalid, /'externalId' failed/],
    ['a token code of five digits', { TokenCode: '12345' }, invalid, /'tokenCode' failed/],
    [
      'a device that does not exist',
      { SerialNumber: 'arn:aws:iam::123456789012:mfa/x', TokenCode: '123456' },
      [403, 'AccessDenied'],
      /MFA/,
    ],
    ['an unknown parameter', { Tag: 'x' }, invalid, /Unknown parameter: Tag/],
    ['a parameter of the language', { constructor: 'x' }, invalid, /Unknown parameter/],
    ['no action', { Action: undefined }, [400, 'MissingAction'], /Missing Action/],
    ['an unknown action', { Action: 'GetSessionToken' }, [400, 'InvalidAction'], /GetSessionToken/],
    ['no version', { Version: undefined }, [400, 'InvalidAction'], /NO_VERSION_SPECIFIED/],
    ['another version', { Version: '2010-05-08' }, [400, 'InvalidAction'], /2010-05-08/],
  ])('%s', async (_, parameters, [status, code], message) => {
    const before = sandbox.issuedSessions.length;
    const reply = await assume(parameters);
    expect(reply).toMatchObject({ status, code });
    expect(reply.message).toMatch(message);
    expect(sandbox.issuedSessions).toHaveLength(before);
  });

  test('a parameter given twice', async () => {
    const body = `${form({ Version: '2011-06-15', ...ASSUME })}&DurationSeconds=3600`;
    const reply = await send(sandbox, await sign(sandbox, sandbox.credentials.base, { headers: FORM, body }));
    expect(reply).toMatchObject({ status: 400, code: 'ValidationError' });
  });

  test('a policy and tags that are too large when packed', async () => {
    const noise = Array.from(
      { length: 50 },
      (_, index) => [`k${index}`, crypto.randomUUID().repeat(7)] as const,
    );
    const reply = await assume({ Policy: POLICY, ...tags(noise) });
    expect(reply).toMatchObject({ status: 400, code: 'PackedPolicyTooLarge' });
    expect(reply.message).toMatch(/^Packed policy consumes \d{3,}% of allotted space/);
  });

  test('a region where STS is switched off', async () => {
    const reply = await sts(sandbox, sandbox.credentials.base, ASSUME, { region: 'af-south-1' });
    expect(reply).toMatchObject({ status: 403, code: 'RegionDisabledException' });
  });
});

describe('the answer', () => {
  test('is what the session is', async () => {
    const reply = await assume({
      Policy: POLICY,
      SourceIdentity: 'workstation-user',
      ...tags([['task', 'T-1']]),
    });
    const session = sandbox.issuedSessions.at(-1);
    expect(reply.body).toContain('<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">');
    expect(element(reply.body, 'AccessKeyId')).toBe(session?.accessKeyId);
    expect(session?.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    expect(element(reply.body, 'SecretAccessKey')).toBe(session?.secretAccessKey);
    expect(element(reply.body, 'SessionToken')).toBe(session?.sessionToken);
    expect(element(reply.body, 'Arn')).toBe(
      'arn:aws:sts::123456789012:assumed-role/preview-deployer/agent-1',
    );
    expect(element(reply.body, 'AssumedRoleId')).toMatch(/^AROA[A-Z0-9]{17}:agent-1$/);
    expect(Number(element(reply.body, 'PackedPolicySize'))).toBeGreaterThan(0);
    expect(element(reply.body, 'SourceIdentity')).toBe('workstation-user');
    expect(element(reply.body, 'RequestId')).toBe(reply.headers['x-amzn-requestid']);
    const life =
      Date.parse(element(reply.body, 'Expiration') ?? '') - Date.parse(String(reply.headers['date']));
    expect(Math.abs(life / 1000 - 900)).toBeLessThanOrEqual(1);
    expect(session?.principal).toMatchObject({ tags: { task: 'T-1' }, sourceIdentity: 'workstation-user' });
  });

  test('has no packed size where there is nothing to pack', async () => {
    expect(element((await assume({})).body, 'PackedPolicySize')).toBeNull();
  });

  test('holds other values each time', async () => {
    const replies = await Promise.all([assume({}), assume({})]);
    for (const name of ['AccessKeyId', 'SecretAccessKey', 'SessionToken']) {
      expect(new Set(replies.map((reply) => element(reply.body, name))).size).toBe(2);
    }
  });

  test('an error is an STS document', async () => {
    const reply = await assume({ RoleArn: 'arn:aws:iam::123456789012:role/nobody' });
    expect(reply.body).toContain('<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">');
    expect(element(reply.body, 'Type')).toBe('Sender');
    expect(element(reply.body, 'RequestId')).toBe(reply.headers['x-amzn-requestid']);
  });
});
