/** AssumeRoleWithWebIdentity: tokens that AWS takes, and those it refuses with the claims to compare. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { previewDeployer } from '../../examples/sandbox/accounts.ts';
import type { Fault } from '../../examples/sandbox/faults.ts';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import { awsSts } from '../../src/broker/providers/aws-sts/index.ts';
import type { ErrorCode } from '../../src/errors.ts';
import {
  brokerContext,
  errorOf,
  issueRequest,
  LEASE_ID,
  type TestIssuer,
  testIssuer,
  tokenFile,
} from '../helpers/aws.ts';
import { tempDir } from '../helpers/cli.ts';
import { expectNowhere } from '../helpers/secrets.ts';

let sandbox: Sandbox;
let issuer: TestIssuer;
let stranger: TestIssuer;

beforeAll(async () => {
  [issuer, stranger] = await Promise.all([testIssuer(), testIssuer('https://issuer.example')]);
  const role = previewDeployer();
  const webIdentity = {
    issuer: issuer.url,
    audience: 'sts.amazonaws.com',
    subject: 'repo:acme/web-app:*',
    jwks: issuer.jwks,
  };
  sandbox = await startSandbox({ roles: [{ ...role, trust: { ...role.trust, webIdentity } }] });
});
afterAll(() => sandbox.stop());
afterEach(() => {
  sandbox.clockOffset = 0;
  sandbox.faults.clear();
});

const CLAIMS =
  'subject "repo:acme/web-app:ref:refs/heads/main", audience "sts.amazonaws.com", issuer "https://token.actions.githubusercontent.com"';

const rows: readonly {
  readonly name: string;
  readonly token?: () => Promise<string>;
  readonly fault?: Fault;
  readonly clockOffset?: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: RegExp;
}[] = [
  {
    name: 'a subject that the role does not trust',
    token: () => issuer.sign({ sub: 'repo:acme@1/other@2:ref:refs/heads/main' }),
    code: 'ERR_PROVIDER_REFUSED',
    message:
      'role "arn:aws:iam::123456789012:role/preview-deployer" does not trust the token of source "token-env:TOKEN": subject "repo:acme@1/other@2:ref:refs/heads/main", audience "sts.amazonaws.com", issuer "https://token.actions.githubusercontent.com"',
    hint: /^compare that subject with the trust policy that capwrap init --aws-role publish-preview-build prints/,
  },
  {
    name: 'an issuer that the account does not know',
    token: () => stranger.sign(),
    code: 'ERR_PROVIDER_REFUSED',
    message:
      'account "123456789012" has no identity provider for the issuer of the token: subject "repo:acme/web-app:ref:refs/heads/main", audience "sts.amazonaws.com", issuer "https://issuer.example"',
    hint: /^aws iam create-open-id-connect-provider --url https:\/\/issuer\.example$/,
  },
  {
    name: 'an audience that the identity provider does not list',
    token: () => issuer.sign({ aud: 'https://github.com/acme' }),
    code: 'ERR_PROVIDER_REFUSED',
    message:
      'token of source "token-env:TOKEN" is for an audience that AWS does not expect: subject "repo:acme/web-app:ref:refs/heads/main", audience "https://github.com/acme", issuer "https://token.actions.githubusercontent.com"',
    hint: /^set audience under source/,
  },
  {
    name: 'a signature by another key',
    token: async () => {
      const [header, payload] = (await issuer.sign()).split('.');
      return `${header}.${payload}.${(await stranger.sign()).split('.')[2]}`;
    },
    code: 'ERR_SOURCE_INVALID',
    message: `token of source "token-env:TOKEN" is not accepted by AWS: ${CLAIMS}`,
    hint: /^the signature, the algorithm/,
  },
  {
    name: 'a token that is over by the clock of AWS',
    clockOffset: 1200,
    code: 'ERR_SOURCE_INVALID',
    message: 'source "token-env:TOKEN" holds a token that has expired',
    hint: /^fetch a fresh token/,
  },
  {
    name: 'a token that its issuer rejects',
    fault: { kind: 'error', status: 403, code: 'IDPRejectedClaim', message: 'no' },
    code: 'ERR_PROVIDER_REFUSED',
    message: `token of source "token-env:TOKEN" is rejected by its issuer: ${CLAIMS}`,
    hint: /fetch a fresh one/,
  },
  {
    name: 'an issuer that AWS can’t reach',
    fault: { kind: 'error', status: 400, code: 'IDPCommunicationError', message: 'no' },
    code: 'ERR_PROVIDER_UNAVAILABLE',
    message: 'issuer "https://token.actions.githubusercontent.com" of the token could not be reached by AWS',
    hint: /^run the command again/,
  },
];

test.each(rows)('$name', async (row) => {
  const token = await (row.token ?? issuer.sign)();
  if (row.fault) sandbox.faults.push(row.fault);
  sandbox.clockOffset = row.clockOffset ?? 0;
  const source = { type: 'token-env', variable: 'TOKEN', audience: null } as const;
  const error = await errorOf(() =>
    awsSts.issue(issueRequest({ endpoint: sandbox.url, source }), brokerContext({ TOKEN: token })),
  );
  expect({ code: error.code, message: error.message }).toEqual({ code: row.code, message: row.message });
  expect(error.hint).toMatch(row.hint);
  expectNowhere([token, token.split('.')[2] ?? ''], {
    texts: [error.message, error.hint ?? '', String(error.stack), JSON.stringify(error), String(error.cause)],
  });
});

describe('AssumeRoleWithWebIdentity', () => {
  test('issues with a token, unsigned and without a key', async () => {
    const token = await issuer.sign();
    const source = tokenFile(tempDir(), `${token}\n`, 'sts.amazonaws.com');
    const context = brokerContext();
    const lease = await awsSts.issue(issueRequest({ endpoint: sandbox.url, source }), context);
    expect(lease.principal).toBe(`arn:aws:sts::123456789012:assumed-role/preview-deployer/agent-${LEASE_ID}`);
    expect(lease.facts['source']).toBe(`web-identity-file:${source.path}`);
    expect(context.registered[0]).toEqual({ name: 'source_token', value: token });
  });

  test.each([
    { field: 'session_tags', changes: { sessionTags: { team: 'web' } } },
    { field: 'source_identity', changes: { sourceIdentity: 'workstation-user' } },
    { field: 'external_id', changes: { externalId: 'x-1' } },
  ])('refuses $field, which would be lost', async ({ field, changes }) => {
    const source = tokenFile(tempDir(), await issuer.sign());
    const before = sandbox.requests.length;
    await expect(
      awsSts.issue(issueRequest({ endpoint: sandbox.url, source, ...changes }), brokerContext()),
    ).rejects.toMatchObject({
      code: 'ERR_MAP_INVALID',
      message: `"${field}" can't be sent with source "web-identity-file": AssumeRoleWithWebIdentity has no such parameter`,
    });
    expect(sandbox.requests.length).toBe(before);
  });
});
