/** Walks one row of the catalogue against one provider. */
import { inspect } from 'node:util';
import { expect } from 'vitest';
import { buildRecord } from '../../src/audit/record/build-record.ts';
import { closedRecord } from '../../src/audit/record/closed-record.ts';
import { NO_APPROVAL, type RunSubject, type Terms } from '../../src/audit/record/run-subject.ts';
import { endLease, inBoundedTime } from '../../src/broker/end-lease.ts';
import { issueLease, LeaseRefused } from '../../src/broker/lease.ts';
import type { IssueRequest, Lease, Revocation } from '../../src/broker/provider.ts';
import { CapwrapError } from '../../src/errors.ts';
import type { Grant } from '../../src/policy/decision.ts';
import { FACT_NAMES, type Facts, unknown } from '../../src/request/facts.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import type { Row } from './catalogue.ts';
import type { ProviderFixture, RunningFixture } from './fixture.ts';
import { whileTimeFlies } from './flying-time.ts';
import { NOT_FOR_EYES } from './kit.ts';

/** How long issuing may take by the timers, a second call included, and how long an end. */
const ISSUE_MS = 45_000;
const END_MS = 22_000;

/** Rejects where the provider does not do what the row demands. */
export async function walk(fixture: ProviderFixture, row: Row): Promise<void> {
  const running = await fixture.start();
  try {
    if (row.phase === 'issue') await walkIssue(fixture, row, running);
    else await walkEnd(row, running);
    expect(running.strayed(), 'no redirect is followed').toBe(0);
  } finally {
    await running.stop();
  }
}

async function walkIssue(
  fixture: ProviderFixture,
  row: Extract<Row, { phase: 'issue' }>,
  running: RunningFixture,
): Promise<void> {
  const { provider, context } = running;
  cause(row, running);
  const request = running.issueRequest();
  const { end, ms } = await whileTimeFlies(() => issueLease(provider, request, context), running.hanging);
  expect(running.met(), 'the fault was met').toBeGreaterThan(0);
  expect(ms, 'bounded in time').toBeLessThan(ISSUE_MS);
  const codes = Object.entries(fixture.codes ?? {}).find(([start]) => row.name.startsWith(start))?.[1];
  if (end.status === 'fulfilled') {
    expect(row.expect, 'a lease where none may be').toContain('lease');
    expectClean(running, request, { lease: end.value, revocation: null, error: null });
    return;
  }
  const error: unknown = end.reason;
  if (!(error instanceof CapwrapError)) throw new Error('an unforeseen error', { cause: error });
  expect(codes ?? row.expect, error.message).toContain(error.code);
  const refused = error instanceof LeaseRefused ? error : null;
  expectClean(running, request, {
    lease: refused?.lease ?? null,
    revocation: refused?.revocation ?? null,
    error,
  });
  if (row.once) expect(running.met(), 'never asked twice').toBe(1);

  // Nothing that was issued lives on, but for what nobody can end; and that is said.
  const canEnd = fixture.outcome.startsWith('revoked_');
  if (canEnd && !row.unseen) expect(running.live(), 'left alive').toBe(0);
  if (running.live() > 0) expect(error.issuedUntil, 'says until when it may live').toBeInstanceOf(Date);
  if (refused !== null) expectTruth(refused.revocation, running);
  if (row.thenFine) {
    const lease = await issueLease(provider, running.issueRequest(), context);
    expectClean(running, request, { lease, revocation: null, error: null });
  }
}

async function walkEnd(row: Exclude<Row, { phase: 'issue' }>, running: RunningFixture): Promise<void> {
  const { provider, context } = running;
  const request = running.issueRequest();
  const lease = await issueLease(provider, request, context);
  expect(running.live(), 'the test server knows the lease').toBeGreaterThan(0);
  expectRegistered(lease, running);
  if (row.phase === 'handle') running.renewProof?.();
  cause(row, running);
  running.passTime(row.trouble.pass ?? 0);
  const ending = () =>
    row.phase === 'end' ? endLease(provider, lease, context) : endByHandle(running, lease, request);
  const { end, ms } = await whileTimeFlies(ending, running.hanging);
  if (row.trouble.fault || row.trouble.misbehaviour) {
    expect(running.met(), 'the fault was met').toBeGreaterThan(0);
  }
  expect(ms, 'bounded in time').toBeLessThan(END_MS);
  if (end.status === 'rejected') throw new Error('an end must not throw', { cause: end.reason });
  const revocation = end.value;
  expect(row.expect, JSON.stringify(revocation)).toContain(revocation.outcome);
  expectTruth(revocation, running);
  // A page in the place of an answer that counts by its status alone can't be told from it.
  const { fault, misbehaviour } = row.trouble;
  const effective = misbehaviour === undefined && fault?.kind !== 'html';
  if (effective && revocation.outcome.startsWith('revoked_'))
    expect(running.live(), 'accepted, and without effect').toBe(0);
  expectClean(running, request, { lease, revocation, error: null });
}

/** As a process that has nothing but the record and the map. */
function endByHandle(
  { provider, context }: RunningFixture,
  { handle, leaseId }: Lease,
  { capability }: IssueRequest,
): Promise<Revocation> {
  if (handle === null || provider.endByHandle === undefined) throw new Error('there is no end by handle');
  const end = provider.endByHandle.bind(provider, handle, capability.config);
  return inBoundedTime((signal) => end({ ...context, signal }, leaseId));
}

function cause({ trouble: { fault, misbehaviour } }: Row, running: RunningFixture): void {
  if (fault !== undefined) running.fault({ ...fault, fault: fault.kind });
  if (misbehaviour !== undefined) running.misbehave(misbehaviour);
}

/** What is claimed is so at the issuer. */
function expectTruth({ outcome, error }: Revocation, running: RunningFixture): void {
  if (outcome === 'revoked_verified' || outcome === 'expired') {
    expect(running.live(), `${outcome}, and alive`).toBe(0);
  }
  expect(error !== null, 'a failed end says why, and no other').toBe(outcome === 'revoke_failed');
}

/** The masker knew every secret of the lease, and so does the server, for the search for leaks. */
function expectRegistered(lease: Lease, running: RunningFixture): void {
  const registered = running.context.registered.map(({ value }) => value);
  const secrets = Object.values(lease.values).filter(({ secret }) => secret);
  expect(secrets.length).toBeGreaterThan(0);
  for (const { value } of secrets) {
    expect(registered.includes(value), 'unknown to the masker').toBe(true);
    expect(running.secrets().includes(value), 'unknown to the test server').toBe(true);
  }
}

interface Result {
  readonly lease: Lease | null;
  readonly revocation: Revocation | null;
  readonly error: CapwrapError | null;
}

/** No secret, and none of the server's own words, in anything that is shown or kept. */
function expectClean(
  running: RunningFixture,
  request: IssueRequest,
  { lease, revocation, error }: Result,
): void {
  const ending = {
    lease,
    revocation,
    refusedUntil: error?.issuedUntil ?? null,
    child: null,
    unmasked: [],
    error: error && { code: error.code, message: error.message },
  };
  const record = buildRecord(closedRecord(subjectOf(request), termsOf(request), ending), STAMP);
  const open = lease && { ...lease, values: publicValues(lease) };
  const texts = [
    JSON.stringify(record),
    JSON.stringify({ open, revocation }),
    error === null ? '' : inspect(error, { depth: 12, showHidden: true }),
    error?.stack ?? '',
    JSON.stringify(error),
  ];
  expectNowhere([...running.secrets(), NOT_FOR_EYES], { texts });
  for (const text of [error?.message, error?.hint, revocation?.error, revocation?.end, revocation?.probe]) {
    expect(text ?? '').not.toMatch(/[\r\n\u001b<]/);
  }
}

function publicValues(lease: Lease) {
  return Object.fromEntries(Object.entries(lease.values).filter(([, { secret }]) => !secret));
}

const STAMP = { timestamp: '2026-03-01T12:00:00.000Z', host: 'h', pid: 1, version: '0', repairedMode: null };

function subjectOf({ leaseId, capability, taskId }: IssueRequest): RunSubject {
  const facts = Object.fromEntries(FACT_NAMES.map((name) => [name, unknown('not asked')])) as Facts;
  const request = {
    capability: capability.name,
    facts,
    command: null,
    justification: null,
    taskId,
    ttlRequested: null,
    usage: [],
  };
  return {
    leaseId,
    parentLeaseId: null,
    request,
    map: null,
    mapTrust: 'untrusted',
    stateOverride: null,
    provider: capability.config.provider,
    scope: [],
    mask: (text) => text, // a provider may not lean on the masker
  };
}

function termsOf({ ttl, deadline }: IssueRequest): Terms {
  const grant = { rule: 'r', ttl, ttlRequested: ttl } as unknown as Grant; // records read no more of it
  return { grant, deadline, approval: NO_APPROVAL };
}
