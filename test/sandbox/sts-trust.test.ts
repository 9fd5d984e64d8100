import { afterEach, describe, expect, test } from 'vitest';
import {
  allow,
  defaultUser,
  PREVIEW_DEPLOYER,
  previewDeployer,
  type RoleTrust,
} from '../../examples/sandbox/accounts.ts';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import type { BaseCredentials, Credential } from '../../examples/sandbox/state.ts';
import { element, type RawReply, sts } from './requests.ts';

const running: Sandbox[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((sandbox) => sandbox.stop()));
});

/** A sandbox whose role has this trust. */
async function sandboxWith(trust: Partial<RoleTrust>): Promise<Sandbox> {
  const role = previewDeployer({ maxSessionDuration: 43_200 });
  role.trust = { ...role.trust, ...trust };
  const sandbox = await startSandbox({ roles: [role], user: { ...defaultUser() } });
  running.push(sandbox);
  return sandbox;
}

type Parameters = Readonly<Record<string, string>>;
const TAG = { 'Tags.member.1.Key': 'task', 'Tags.member.1.Value': 'T-1' };

function assume(sandbox: Sandbox, credential: Credential, parameters: Parameters = {}): Promise<RawReply> {
  return sts(sandbox, credential, {
    Action: 'AssumeRole',
    RoleArn: PREVIEW_DEPLOYER,
    RoleSessionName: 'agent-1',
    ...parameters,
  });
}

describe('the trust policy', () => {
  const root = ['arn:aws:iam::123456789012:root'];
  const nobody = ['arn:aws:iam::123456789012:user/somebody-else'];
  test.each<[string, Partial<RoleTrust>, Parameters, string | null]>([
    ['names the user', {}, {}, null],
    ['leaves it to the account', { principals: root }, {}, null],
    ['names somebody else', { principals: nobody }, {}, 'sts:AssumeRole'],
    ['wants an external id', { externalId: 'acme-1' }, {}, 'sts:AssumeRole'],
    ['wants another external id', { externalId: 'acme-1' }, { ExternalId: 'acme-2' }, 'sts:AssumeRole'],
    ['gets its external id', { externalId: 'acme-1' }, { ExternalId: 'acme-1' }, null],
    ['wants a session name', { sessionName: 'agent-*' }, { RoleSessionName: 'me' }, 'sts:AssumeRole'],
    ['gets its session name', { sessionName: 'agent-*' }, {}, null],
    ['allows tags', {}, TAG, null],
    ['allows no tags', { tagSession: false }, TAG, 'sts:TagSession'],
    ['allows no tags and gets none', { tagSession: false }, {}, null],
    ['allows a source identity', {}, { SourceIdentity: 'workstation-user' }, null],
    [
      'allows no source identity',
      { setSourceIdentity: false },
      { SourceIdentity: 'workstation-user' },
      'sts:SetSourceIdentity',
    ],
  ])('%s', async (_, trust, parameters, refused) => {
    const sandbox = await sandboxWith(trust);
    const reply = await assume(sandbox, sandbox.credentials.base, parameters);
    expect(reply.code).toBe(refused === null ? null : 'AccessDenied');
    if (refused === null) return;
    expect(reply.message).toBe(
      `User: arn:aws:iam::123456789012:user/agent-base is not authorized to perform: ${refused} on resource: ${PREVIEW_DEPLOYER}`,
    );
  });

  test('a role that does not exist is refused in the same words', async () => {
    const sandbox = await sandboxWith({ principals: nobody });
    const RoleArn = 'arn:aws:iam::123456789012:role/no-such-role';
    const missing = await assume(sandbox, sandbox.credentials.base, { RoleArn });
    const untrusted = await assume(sandbox, sandbox.credentials.base);
    expect(missing.message?.replace(RoleArn, PREVIEW_DEPLOYER)).toBe(untrusted.message);
  });
});

describe("the caller's own policy", () => {
  test('is needed where the account is trusted, and not where the caller is named', async () => {
    const named = await sandboxWith({});
    named.state.user.policy = allow(['s3:*'], '*');
    expect((await assume(named, named.credentials.base)).status).toBe(200);
    const left = await sandboxWith({ principals: ['arn:aws:iam::123456789012:root'] });
    left.state.user.policy = allow(['s3:*'], '*');
    const reply = await assume(left, left.credentials.base);
    expect(reply.message).toMatch(/because no identity-based policy allows the sts:AssumeRole action$/);
  });

  test('denies even where the caller is named', async () => {
    const sandbox = await sandboxWith({});
    const deny = { Effect: 'Deny', Action: 'sts:*', Resource: '*' } as const;
    sandbox.state.user.policy = { Version: '2012-10-17', Statement: [deny] };
    const reply = await assume(sandbox, sandbox.credentials.base);
    expect(reply.message).toMatch(/with an explicit deny in an identity-based policy$/);
  });
});

describe('role chaining', () => {
  test.each<[keyof BaseCredentials, string, string | null]>([
    ['base', '43200', null],
    ['longLived', '43200', null],
    ['roleSession', '3600', null],
    ['roleSession', '3601', 'ValidationError'],
  ])('%s for %s s', async (name, DurationSeconds, code) => {
    const sandbox = await sandboxWith({});
    const reply = await assume(sandbox, sandbox.credentials[name], { DurationSeconds });
    expect(reply.code).toBe(code);
    if (code !== null) {
      expect(reply.message).toMatch(/1 hour session limit for roles assumed by role chaining/);
    }
  });

  test('tags and a source identity need the permission on both sides', async () => {
    const sandbox = await sandboxWith({});
    const role = sandbox.state.roles.get('arn:aws:iam::123456789012:role/workstation');
    if (role === undefined) throw new Error('no workstation role');
    role.policy = allow(['sts:AssumeRole'], '*');
    const { roleSession } = sandbox.credentials;
    expect((await assume(sandbox, roleSession)).code).toBeNull();
    const tagged = await assume(sandbox, roleSession, TAG);
    expect(tagged.message).toMatch(/no identity-based policy allows the sts:TagSession action$/);
    const named = await assume(sandbox, roleSession, { SourceIdentity: 'workstation-user' });
    expect(named.message).toMatch(/no identity-based policy allows the sts:SetSourceIdentity action$/);
  });

  test('a source identity and transitive tags persist, other tags do not', async () => {
    const sandbox = await sandboxWith({ principals: ['arn:aws:iam::123456789012:root'] });
    const workstation = { RoleArn: 'arn:aws:iam::123456789012:role/workstation' };
    const first = await assume(sandbox, sandbox.credentials.base, {
      ...workstation,
      SourceIdentity: 'workstation-user',
      ...TAG,
      'Tags.member.2.Key': 'team',
      'Tags.member.2.Value': 'web',
      'TransitiveTagKeys.member.1': 'team',
    });
    expect(first.code).toBeNull();
    const session = sandbox.issuedSessions.at(-1);
    if (session === undefined) throw new Error('no session');
    const second = await assume(sandbox, session);
    expect(element(second.body, 'SourceIdentity')).toBe('workstation-user');
    expect(sandbox.issuedSessions.at(-1)?.principal).toMatchObject({
      sourceIdentity: 'workstation-user',
      tags: { team: 'web' },
    });
    expect(sandbox.issuedSessions.at(-1)?.principal.tags).toEqual({ team: 'web' });

    expect((await assume(sandbox, session, { SourceIdentity: 'other' })).message).toMatch(
      /sts:SetSourceIdentity/,
    );
    const again = { 'Tags.member.1.Key': 'TEAM', 'Tags.member.1.Value': 'web' };
    expect(await assume(sandbox, session, again)).toMatchObject({ code: 'ValidationError' });
  });

  test('a leased session can not take another role', async () => {
    const sandbox = await sandboxWith({});
    await assume(sandbox, sandbox.credentials.base);
    const [lease] = sandbox.issuedSessions;
    if (lease === undefined) throw new Error('no session');
    const RoleArn = 'arn:aws:iam::123456789012:role/workstation';
    expect(await assume(sandbox, lease, { RoleArn })).toMatchObject({ status: 403, code: 'AccessDenied' });
    const identity = await sts(sandbox, lease, { Action: 'GetCallerIdentity' });
    expect(element(identity.body, 'Arn')).toBe(
      'arn:aws:sts::123456789012:assumed-role/preview-deployer/agent-1',
    );
  });
});

test('GetCallerIdentity answers even under an explicit deny', async () => {
  const sandbox = await sandboxWith({});
  sandbox.state.user.policy = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }],
  };
  const reply = await sts(sandbox, sandbox.credentials.base, { Action: 'GetCallerIdentity' });
  expect(element(reply.body, 'Account')).toBe('123456789012');
});
