/** Requests and contexts for tests of the AWS provider and its sources. */
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { exportJWK, SignJWT } from 'jose';
import type { Credential } from '../../examples/sandbox/state.ts';
import type { BrokerContext, IssueRequest } from '../../src/broker/provider.ts';
import { CapwrapError } from '../../src/errors.ts';
import type { Capability, Source } from '../../src/policy/capability.ts';
import type { AwsStsConfig } from '../../src/policy/providers/aws-sts.ts';

export const ROLE_ARN = 'arn:aws:iam::123456789012:role/preview-deployer';
export const LEASE_ID = '9f8c6b6a01020304';

/** The example's configuration, with changes. */
export function awsConfig(changes: Partial<AwsStsConfig> = {}): AwsStsConfig {
  return {
    provider: 'aws-sts',
    roleArn: ROLE_ARN,
    region: 'us-east-1',
    endpoint: null,
    caFile: null,
    source: { type: 'env', longLived: false },
    scope: [
      { actions: ['s3:PutObject'], resources: ['arn:aws:s3:::acme-previews/*'], broad: false },
      {
        actions: ['cloudfront:CreateInvalidation'],
        resources: ['arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE'],
        broad: false,
      },
    ],
    externalId: null,
    mfaSerial: null,
    sourceIdentity: null,
    sessionTags: {},
    delivery: 'environment',
    ...changes,
  };
}

export function capability(config: Capability['config'], name = 'publish-preview-build'): Capability {
  return {
    name,
    description: null,
    config,
    ttl: 900,
    maxTtl: 43_200,
    ttlOver: 'shorten',
    rules: [],
    environment: null,
    justification: 'optional',
    env: { pass: [], passSensitive: [], set: {} },
    inject: {},
    files: {},
    home: 'inherit',
    terminal: 'masked',
    onLeak: 'mask',
    killAfter: 10,
    tests: [],
  };
}

/** A request for `ttl` seconds from `now` on. */
export function issueRequest(changes: Partial<AwsStsConfig> = {}, ttl = 900, now = new Date()): IssueRequest {
  return {
    leaseId: LEASE_ID,
    capability: capability(awsConfig(changes)),
    ttl,
    deadline: new Date(now.getTime() + ttl * 1000),
    approval: 'none',
    actor: 'workstation-user',
    taskId: 'task-1',
  };
}

export interface TestContext extends BrokerContext {
  /** What the masker was told, in order. */
  readonly registered: readonly { readonly name: string; readonly value: string }[];
}

export function brokerContext(
  env: Readonly<Record<string, string>> = {},
  changes: Partial<BrokerContext> = {},
): TestContext {
  const registered: { name: string; value: string }[] = [];
  return {
    env,
    stateDir: '/nonexistent',
    signal: new AbortController().signal,
    now: () => new Date(),
    registerSecret: (name, value) => registered.push({ name, value }),
    ...changes,
    registered,
  };
}

/** The CapwrapError that `action` ends with; any other end fails the test. */
export async function errorOf(action: () => unknown): Promise<CapwrapError> {
  let value: unknown;
  try {
    value = await action();
  } catch (error) {
    if (error instanceof CapwrapError) return error;
    throw error;
  }
  throw new Error(`expected an error, got ${typeof value}`);
}

export interface TestIssuer {
  readonly url: string;
  readonly jwks: { readonly keys: JWK[] };
  /** Signs claims; `iss`, `sub`, `aud`, `iat` and `exp` have defaults. */
  sign(claims?: Readonly<Record<string, unknown>>): Promise<string>;
}

/** An OIDC issuer that exists as a key only. */
export async function testIssuer(url = 'https://token.actions.githubusercontent.com'): Promise<TestIssuer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'test', alg: 'ES256', use: 'sig' };
  return {
    url,
    jwks: { keys: [jwk] },
    sign(claims = {}) {
      const now = Math.floor(Date.now() / 1000);
      const defaults = {
        iss: url,
        sub: 'repo:acme/web-app:ref:refs/heads/main',
        aud: 'sts.amazonaws.com',
        iat: now,
        exp: now + 300,
      };
      return new SignJWT({ ...defaults, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'test' })
        .sign(privateKey);
    },
  };
}

/** Writes a token where only this user can read it, and returns the source that reads it. */
export function tokenFile(
  folder: string,
  token: string,
  audience: string | null = null,
): Extract<Source, { type: 'web-identity-file' | 'token-file' }> {
  const path = join(folder, 'token');
  writeFileSync(path, token, { mode: 0o600 });
  return { type: 'web-identity-file', path, audience };
}

/** The variables of source `env` that hold a credential of the sandbox. */
export function variablesOf(credential: Credential): Record<string, string> {
  const { accessKeyId, secretAccessKey, sessionToken } = credential;
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken !== null && { AWS_SESSION_TOKEN: sessionToken }),
  };
}
