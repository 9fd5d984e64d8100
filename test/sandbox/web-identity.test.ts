import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { previewDeployer } from '../../examples/sandbox/accounts.ts';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import { element, FORM, form, type RawReply, send } from './requests.ts';

const ISSUER = 'https://token.actions.githubusercontent.com';
const CI_ROLE = 'arn:aws:iam::123456789012:role/ci/publisher';
const now = Math.floor(Date.now() / 1000);
const CLAIMS: JWTPayload = {
  iss: ISSUER,
  aud: 'sts.amazonaws.com',
  sub: 'repo:acme/web-app:ref:refs/heads/main',
  iat: now,
  exp: now + 300,
};

type Key = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

let sandbox: Sandbox;
let key: Key;
let foreign: Key;
beforeAll(async () => {
  const pair = await generateKeyPair('RS256', { extractable: true });
  key = pair.privateKey;
  foreign = (await generateKeyPair('RS256', { extractable: true })).privateKey;
  const jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'RS256' }] };
  const webIdentity = {
    issuer: ISSUER,
    audience: 'sts.amazonaws.com',
    subject: 'repo:acme/web-app:*',
    jwks,
  };
  sandbox = await startSandbox({
    roles: [
      previewDeployer(),
      previewDeployer({
        arn: CI_ROLE,
        maxSessionDuration: 7200,
        trust: { principals: [], tagSession: true, setSourceIdentity: false, webIdentity },
      }),
    ],
  });
});
afterAll(() => sandbox.stop());

function token(claims: Readonly<Record<string, unknown>>, signer: Key = key): Promise<string> {
  return new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader({ alg: 'RS256', kid: 'k1' }).sign(signer);
}

async function assume(
  webIdentityToken: string,
  more: Readonly<Record<string, string>> = {},
): Promise<RawReply> {
  const body = form({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: CI_ROLE,
    RoleSessionName: 'agent-1',
    WebIdentityToken: webIdentityToken,
    ...more,
  });
  return send(sandbox, { method: 'POST', path: '/', query: {}, headers: FORM, body });
}

test('a token that the role trusts gets a session, unsigned and not in a chain', async () => {
  const jwt = await token({});
  const reply = await assume(jwt, { DurationSeconds: '7200' });
  expect(reply.status).toBe(200);
  expect(element(reply.body, 'Arn')).toBe('arn:aws:sts::123456789012:assumed-role/publisher/agent-1');
  expect(element(reply.body, 'SubjectFromWebIdentityToken')).toBe(CLAIMS.sub);
  expect(element(reply.body, 'Provider')).toBe(ISSUER);
  expect(element(reply.body, 'Audience')).toBe('sts.amazonaws.com');
  expect(element(reply.body, 'SecretAccessKey')).toBe(sandbox.issuedSessions.at(-1)?.secretAccessKey);
  expect(JSON.stringify(sandbox.requests)).not.toContain(jwt);
});

test('tags come from a claim of the token', async () => {
  const claim = { principal_tags: { task: ['T-1'] }, transitive_tag_keys: ['task'] };
  await assume(await token({ 'https://aws.amazon.com/tags': claim }));
  expect(sandbox.issuedSessions.at(-1)?.principal).toMatchObject({
    tags: { task: 'T-1' },
    transitiveTagKeys: ['task'],
  });
});

describe('a token that is refused', () => {
  test.each<[string, Readonly<Record<string, unknown>>, string, RegExp]>([
    [
      'for another audience',
      { aud: 'https://github.com/acme' },
      'InvalidIdentityToken',
      /Incorrect token audience/,
    ],
    [
      'of another issuer',
      { iss: 'https://evil.example' },
      'InvalidIdentityToken',
      /No OpenIDConnect provider/,
    ],
    [
      'of another repository',
      { sub: 'repo:acme/other:ref:refs/heads/main' },
      'AccessDenied',
      /Not authorized/,
    ],
    [
      'with ids in its subject',
      { sub: 'repo:acme@1/web-app@2:ref:refs/heads/main' },
      'AccessDenied',
      /Not authorized/,
    ],
    [
      'that has expired',
      { exp: now - 1 },
      'ExpiredTokenException',
      /^Token expired: current date\/time \d+ must be/,
    ],
    ['that is not valid yet', { nbf: now + 300 }, 'InvalidIdentityToken', /nbf/],
    ['without an expiry', { exp: undefined }, 'InvalidIdentityToken', /exp/],
    ['without a subject', { sub: undefined }, 'InvalidIdentityToken', /sub/],
    ['with a fraction of a second', { iat: now - 0.5 }, 'InvalidIdentityToken', /integers/],
    [
      'that sets a source identity',
      { 'https://aws.amazon.com/source_identity': 'workstation-user' },
      'AccessDenied',
      /Not authorized/,
    ],
    [
      'with a tag of two values',
      { 'https://aws.amazon.com/tags': { principal_tags: { k: ['a', 'b'] } } },
      'InvalidIdentityToken',
      /one value/,
    ],
    [
      'with a reserved tag',
      { 'https://aws.amazon.com/tags': { principal_tags: { 'aws:k': ['a'] } } },
      'ValidationError',
      /reserved/,
    ],
  ])('%s', async (_, claims, code, message) => {
    const before = sandbox.issuedSessions.length;
    const reply = await assume(await token(claims));
    expect(reply.code).toBe(code);
    expect(reply.message).toMatch(message);
    expect(sandbox.issuedSessions).toHaveLength(before);
  });

  test('signed by another key', async () => {
    const reply = await assume(await token({}, foreign));
    expect(reply).toMatchObject({ status: 400, code: 'InvalidIdentityToken' });
  });

  test('signed with a shared secret, or not at all', async () => {
    const secret = new TextEncoder().encode('a shared secret of enough characters');
    const shared = await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).sign(secret);
    const [, payload] = shared.split('.');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    for (const jwt of [shared, none, 'no-token']) {
      expect(await assume(jwt)).toMatchObject({ status: 400, code: 'InvalidIdentityToken' });
    }
  });
});

describe('a parameter that is refused', () => {
  test.each<[string, Readonly<Record<string, string>>, string]>([
    ['a tag', { 'Tags.member.1.Key': 'k', 'Tags.member.1.Value': 'v' }, 'ValidationError'],
    ['a source identity', { SourceIdentity: 'workstation-user' }, 'ValidationError'],
    ['an external id', { ExternalId: 'acme' }, 'ValidationError'],
    ['a duration over the maximum', { DurationSeconds: '7201' }, 'ValidationError'],
    ['a policy that is no JSON', { Policy: '{' }, 'MalformedPolicyDocument'],
    ['a token of three characters', { WebIdentityToken: 'a.b' }, 'ValidationError'],
    [
      'a role without web identity',
      { RoleArn: 'arn:aws:iam::123456789012:role/preview-deployer' },
      'AccessDenied',
    ],
    ['a role that does not exist', { RoleArn: 'arn:aws:iam::123456789012:role/nobody' }, 'AccessDenied'],
  ])('%s', async (_, more, code) => {
    expect(await assume(await token({}), more)).toMatchObject({ code });
  });

  test('the message of a refused token never repeats it', async () => {
    const reply = await assume('abc', {});
    expect(reply.message).toMatch(/^1 validation error detected: Value at 'webIdentityToken' failed/);
  });
});
