/**
 * The end of a lease, the same for every issuer: look, end, look again, and say what was seen.
 *
 *     look    is it alive?                 a refusal afterwards proves something only if it was
 *     end     the issuer's own operation   its answer says that it was accepted, not that it had an effect
 *     look    is it refused now?           again and again for as long as the issuer may take
 *
 * https://www.rfc-editor.org/rfc/rfc7009#section-2.2 is one example of why an answer alone proves nothing.
 */
import { abortableWait, inTime } from '../base/abortable-wait.ts';
import { CapwrapError } from '../errors.ts';
import type { BrokerContext, EndAnswer, Lease, ProbeAnswer, Provider, Revocation } from './provider.ts';

/** Longest time that the end of a lease may take; the run must come back whatever the issuer does. */
const END_TIMEOUT_MS = 20_000;
/** Longest time for giving back what was held beside the lease. */
const RELEASE_TIMEOUT_MS = 4_000;
/** Longest time for one look, so that a probe without an answer can't keep the lease from being ended. */
const LOOK_TIMEOUT_MS = 4_000;

/**
 * Ends a lease in bounded time. Never throws: what went wrong is part of the answer. `context.signal` has no say: the
 * signal that ended the child must not cut the end of its lease short.
 */
export async function endLease(
  provider: Provider,
  lease: Lease,
  context: BrokerContext,
): Promise<Revocation> {
  const progress: Progress = { answer: null };
  const unfinished = () =>
    progress.answer?.kind === 'ended' ? unverified(progress.answer.did, 'no answer in time') : null;
  const ended = await inBoundedTime(
    (signal) => endAndLook(provider, lease, { ...context, signal }, progress),
    unfinished,
  );
  const left = await release(provider, lease, context);
  return left === null ? ended : { ...ended, probe: [ended.probe, left].filter(Boolean).join('; ') };
}

/** What is left alive beside the lease, or null. */
async function release(provider: Provider, lease: Lease, context: BrokerContext): Promise<string | null> {
  try {
    return await inTime<string | null>(
      RELEASE_TIMEOUT_MS,
      (signal) => provider.release?.(lease, { ...context, signal }) ?? null,
      () => 'what was held beside the lease was not given back in time',
    );
  } catch (error) {
    return `what was held beside the lease was not given back: ${wordsOf(error)}`;
  }
}

/** How far an end has got. */
interface Progress {
  answer: EndAnswer | null;
}

/**
 * Bounds any way of ending a lease; what is thrown is a failed end, without the words of a library. `unfinished` says
 * what is known when the time is over; null for nothing.
 */
export async function inBoundedTime(
  end: (signal: AbortSignal) => Promise<Revocation>,
  unfinished: () => Revocation | null = () => null,
): Promise<Revocation> {
  const late = () => unfinished() ?? failed(null, `no answer within ${END_TIMEOUT_MS / 1000} s`);
  try {
    return await inTime(END_TIMEOUT_MS, end, late);
  } catch (error) {
    return failed(null, wordsOf(error));
  }
}

async function endAndLook(
  provider: Provider,
  lease: Lease,
  context: BrokerContext,
  progress: Progress,
): Promise<Revocation> {
  if (provider.end === undefined) return byTime(lease, context, null);
  const before = await look(provider, lease, context);
  if (before?.state === 'expired') return { outcome: 'expired', end: null, probe: before.saw, error: null };
  if (before?.state === 'revoked') {
    return { outcome: 'revoked_verified', end: 'was ended already', probe: before.saw, error: null };
  }
  const answer = await attempt(provider.end(lease, context));
  progress.answer = answer;
  if (answer.kind === 'not_revocable') return byTime(lease, context, answer.did);
  const after = await lookUntilDead(provider, lease, context, before, answer.kind === 'failed');
  const verified = before?.state === 'alive' && (after?.state === 'dead' || after?.state === 'revoked');
  const probe = after && (verified ? after.saw : `${after.saw}; before: ${before?.saw}`);
  if (verified) return { outcome: 'revoked_verified', end: answer.did, probe, error: null };
  if (answer.kind === 'failed') return failed(answer.did, answer.error, probe);
  return unverified(answer.did, probe);
}

function unverified(end: string, probe: string | null): Revocation {
  return { outcome: 'revoked_unverified', end, probe, error: null };
}

/** Told by the issuer's clock, as far as it is known. */
function byTime(lease: Lease, context: BrokerContext, end: string | null): Revocation {
  const skew = Number(lease.facts['clock_skew_seconds'] ?? 0);
  const issuerNow = context.now().getTime() - skew * 1000;
  const outcome = issuerNow >= lease.expiresAt.getTime() ? 'expired' : 'expires';
  return { outcome, end, probe: null, error: null };
}

/** Null where there is no probe. */
async function look(provider: Provider, lease: Lease, context: BrokerContext): Promise<ProbeAnswer | null> {
  try {
    return await inTime<ProbeAnswer | null>(
      LOOK_TIMEOUT_MS,
      (signal) => provider.probe?.(lease, { ...context, signal }) ?? null,
      () => ({ state: 'unknown', saw: 'no answer in time' }),
      context.signal,
    );
  } catch (error) {
    return { state: 'unknown', saw: `no answer: ${wordsOf(error)}` };
  }
}

/** Issuers take their time. After an end that failed one look is enough: it may have had its effect all the same. */
async function lookUntilDead(
  provider: Provider,
  lease: Lease,
  context: BrokerContext,
  before: ProbeAnswer | null,
  once: boolean,
): Promise<ProbeAnswer | null> {
  let after = await look(provider, lease, context);
  for (const pause of once || before?.state !== 'alive' ? [] : (provider.settling ?? [])) {
    if (after === null || (after.state !== 'alive' && after.state !== 'unknown')) break;
    await abortableWait(pause, context.signal);
    if (context.signal.aborted) break;
    after = await look(provider, lease, context);
  }
  return after;
}

async function attempt(ending: Promise<EndAnswer>): Promise<EndAnswer> {
  try {
    return await ending;
  } catch (error) {
    return { kind: 'failed', did: 'no answer to the end of the lease', error: wordsOf(error) };
  }
}

function failed(end: string | null, error: string, probe: string | null = null): Revocation {
  return { outcome: 'revoke_failed', end, probe, error };
}

/** capwrap's own errors hold no secret; anything else might. */
function wordsOf(error: unknown): string {
  return error instanceof CapwrapError ? error.message : 'unexpected failure';
}
