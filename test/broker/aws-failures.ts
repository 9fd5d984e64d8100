/** Walks a table of what can go wrong with STS against the sandbox. No row may leak, or ask twice. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { defaultUser, PREVIEW_DEPLOYER, previewDeployer } from '../../examples/sandbox/accounts.ts';
import type { Fault } from '../../examples/sandbox/faults.ts';
import { type Sandbox, startSandbox } from '../../examples/sandbox/server.ts';
import type { BaseCredentials } from '../../examples/sandbox/state.ts';
import { awsSts } from '../../src/broker/providers/aws-sts/index.ts';
import type { CapwrapError, ErrorCode } from '../../src/errors.ts';
import type { AwsStsConfig } from '../../src/policy/providers/aws-sts.ts';
import { brokerContext, errorOf, issueRequest, variablesOf } from '../helpers/aws.ts';
import { expectNowhere } from '../helpers/secrets.ts';

export interface FailureRow {
  readonly name: string;
  readonly fault?: Fault;
  readonly set?: (sandbox: Sandbox) => void;
  readonly changes?: Partial<AwsStsConfig>;
  readonly ttl?: number;
  readonly as?: keyof BaseCredentials;
  readonly code: ErrorCode;
  readonly message: string | RegExp;
  readonly hint?: RegExp;
  /** Whether a session may exist that nobody will use; then the error says until when. */
  readonly mayExist?: boolean;
  /** How often STS was asked for a session; 1 where it isn't given. */
  readonly asked?: number;
}

/** Runs each row as a test of its own, on one sandbox that is put back in order after each. */
export function testFailures(rows: readonly FailureRow[]): void {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox();
  });
  afterAll(() => sandbox.stop());
  const pristine = { user: defaultUser(), role: previewDeployer() };
  afterEach(() => {
    const { state, credentials } = sandbox;
    sandbox.faults.clear();
    sandbox.clockOffset = 0;
    state.user.policy = pristine.user.policy;
    Object.assign(state, { disabledRegions: [] });
    const role = state.roles.get(PREVIEW_DEPLOYER);
    if (role) role.trust = pristine.role.trust;
    for (const one of Object.values(credentials)) state.credentials.set(one.accessKeyId, one);
  });

  test.each(rows)('$name', async (row) => {
    const context = brokerContext(variablesOf(sandbox.credentials[row.as ?? 'base']));
    row.set?.(sandbox);
    if (row.fault) sandbox.faults.push(row.fault);
    const before = sandbox.requests.length;
    const error = await errorOf(() =>
      awsSts.issue(issueRequest({ endpoint: sandbox.url, ...row.changes }, row.ttl), context),
    );

    expect(error.code).toBe(row.code);
    if (typeof row.message === 'string') expect(error.message).toBe(row.message);
    else expect(error.message).toMatch(row.message);
    if (row.hint) expect(error.hint).toMatch(row.hint);
    if (row.mayExist !== undefined) expect(error.issuedUntil instanceof Date).toBe(row.mayExist);
    // To ask who calls changes nothing; it is what tells of a chain before the call that counts.
    const asked = sandbox.requests.slice(before).filter(({ action }) => action !== 'GetCallerIdentity');
    expect(asked.length, 'exactly one request').toBe(row.asked ?? 1);
    expectClean(error, sandbox.secrets());
  });
}

/** One line, none of AWS's own words, no secret, in anything that could be printed. */
function expectClean(error: CapwrapError, secrets: readonly string[]): void {
  const texts = [
    error.message,
    error.hint ?? '',
    String(error.stack),
    JSON.stringify(error),
    String(error.cause),
  ];
  expectNowhere(secrets, { texts });
  for (const text of [error.message, error.hint ?? '']) {
    expect(text).not.toMatch(/[\r\n\u001b]|Text that must not be shown|hotel|validation error|<\//);
  }
}
