/** The end of a lease from outside its run, by what its records hold. */

import { isOver, type OpenLease, openLeases } from '../audit/leases/open-leases.ts';
import type { LogBook } from '../audit/log/book.ts';
import { auditLogFor } from '../audit/open.ts';
import { leaseEndedRecord, type OrphanEnd } from '../audit/record/orphan-record.ts';
import { numberAt, textAt, valueAt } from '../audit/record/stored-record.ts';
import { inBoundedTime } from '../broker/end-lease.ts';
import {
  type BrokerContext,
  HANDLE_NAMES,
  type LeaseHandle,
  type Provider,
  type Revocation,
} from '../broker/provider.ts';
import { loadProvider } from '../broker/registry.ts';
import { type ProviderConfig, type ProviderName, providerNamed } from '../policy/providers/index.ts';
import { callerSecrets } from '../redact/caller-secrets.ts';
import { SecretRegistry } from '../redact/registry.ts';
import type { CommandContext } from '../ui/context.ts';
import { configOf } from './leases-config.ts';

/** What became of it. `open`: it lives on, as far as is known; `why` says what ends it. */
export type OrphanResult =
  | { readonly kind: 'ended'; readonly revocation: Revocation | null }
  | { readonly kind: 'failed'; readonly revocation: Revocation }
  | { readonly kind: 'open'; readonly why: string }
  /** Its own run closed it, with this outcome. */
  | { readonly kind: 'run'; readonly outcome: string }
  /** It was closed before. */
  | { readonly kind: 'closed' };

/**
 * Ends a lease by its handle where its provider can, and records what was seen. An expiry that has passed is recorded as
 * such; one that is ahead is not: until then the lease is open. Never claims what was not observed.
 */
export async function endOrphan(
  context: CommandContext,
  stateDir: string,
  lease: OpenLease,
  reason: 'wrapper_died' | 'asked',
): Promise<OrphanResult> {
  const { issued } = lease;
  const now = new Date();
  if (issued === null) {
    const until = await latestEnd(context, stateDir, lease);
    if (typeof until === 'string')
      return {
        kind: 'open',
        why: `no credential is recorded, and how long one may live is not known: ${until}`,
      };
    if (until > now)
      return { kind: 'open', why: `no credential is recorded; one may live until ${at(until)}` };
    return close(context, stateDir, lease, 'no_issue_recorded', null);
  }
  if (isOver(lease, now)) return close(context, stateDir, lease, reason, EXPIRED);
  const byHandle = await handleOf(context, stateDir, lease);
  if ('why' in byHandle) return { kind: 'open', why: byHandle.why };
  const revocation = await byHandle.end();
  if (revocation.outcome === 'expires') return { kind: 'open', why: onlyExpiry(lease) };
  return close(context, stateDir, lease, reason, revocation);
}

/** True where the lease's provider can end it by what its record holds. */
export async function canEndByHandle(lease: OpenLease): Promise<boolean> {
  return (await providerOf(lease))?.endByHandle !== undefined && recordedHandle(lease) !== null;
}

const EXPIRED: Revocation = { outcome: 'expired', end: null, probe: null, error: null };

/** Ready to end by handle, or why that can't be. */
async function handleOf(
  context: CommandContext,
  stateDir: string,
  lease: OpenLease,
): Promise<{ end(): Promise<Revocation> } | { why: string }> {
  const provider = await providerOf(lease);
  const handle = recordedHandle(lease);
  if (provider?.endByHandle === undefined || handle === null) return { why: onlyExpiry(lease) };
  const found = await configOf(context, stateDir, lease.granted);
  if (found.config === null && !provider.handleSuffices) return { why: `${found.why}; ${onlyExpiry(lease)}` };
  const name = textAt(lease.granted, 'provider') ?? '';
  if (found.config !== null && found.config.provider !== name)
    return { why: `its map names another provider; ${onlyExpiry(lease)}` };
  return {
    end: () => endMasked(provider, { leaseId: lease.leaseId, handle }, found.config, context, stateDir),
  };
}

async function endMasked(
  provider: Provider,
  { leaseId, handle }: { readonly leaseId: string; readonly handle: LeaseHandle },
  config: ProviderConfig | null,
  { ambient }: CommandContext,
  stateDir: string,
): Promise<Revocation> {
  const secrets = new SecretRegistry();
  const ofCaller = callerSecrets(ambient.env);
  const mask = (text: string | null) => text && secrets.mask(ofCaller.mask(text));
  const revocation = await inBoundedTime(async (signal) => {
    const broker: BrokerContext = {
      env: ambient.env,
      stateDir,
      signal,
      now: () => new Date(),
      registerSecret: (name, value) => secrets.register(name, value),
    };
    // Without a config only where the provider has said that it looks at none.
    return (await provider.endByHandle?.(handle, config as ProviderConfig, broker, leaseId)) ?? EXPIRED;
  });
  const { end, probe, error } = revocation;
  return { ...revocation, end: mask(end), probe: mask(probe), error: mask(error) };
}

/** The record is written only while the lease is open: two who end it at once leave one. */
async function close(
  context: CommandContext,
  stateDir: string,
  lease: OpenLease,
  reason: OrphanEnd['reason'],
  revocation: Revocation | null,
): Promise<OrphanResult> {
  const audit = auditLogFor(context, { dir: stateDir });
  const record = leaseEndedRecord({ leaseId: lease.leaseId, from: factsOf(lease), reason, revocation });
  const isClosed = (book: LogBook) =>
    !openLeases(book).some(({ leaseId }) => leaseId === lease.leaseId) || null;
  const { refusal } = await audit.append(record, { durable: true, unless: isClosed });
  if (refusal !== null) return { kind: 'closed' };
  return revocation?.outcome === 'revoke_failed'
    ? { kind: 'failed', revocation }
    : { kind: 'ended', revocation };
}

function factsOf({ granted, issued }: OpenLease): OrphanEnd['from'] {
  const names = ['task_id', 'actor', 'repo', 'capability', 'provider'] as const;
  const known = names.map((name) => [name, textAt(granted, name)] as const);
  const expiry = issued === null ? undefined : textAt(issued, 'expires_at');
  return Object.fromEntries([...known, ['expires_at', expiry]].filter(([, value]) => value !== undefined));
}

/** Null for a provider that this version doesn't know. */
async function providerOf({ granted }: OpenLease): Promise<Provider | null> {
  const name = textAt(granted, 'provider');
  return providerNamed(name) === null ? null : loadProvider(name as ProviderName);
}

function recordedHandle({ issued }: OpenLease): LeaseHandle | null {
  const entries = HANDLE_NAMES.flatMap((name) => {
    const value = issued === null ? undefined : textAt(issued, 'handle', name);
    return value === undefined ? [] : [[name, value] as const];
  });
  // A value that was cut names something else.
  const cut = issued === null ? undefined : valueAt(issued, 'cut');
  const isCut =
    cut !== null && typeof cut === 'object' && Object.keys(cut).some((at) => at.startsWith('handle.'));
  return entries.length === 0 || isCut ? null : Object.fromEntries(entries);
}

/**
 * The latest end of what may have been issued unseen: the grant's, or the longest life that the issuer may have given it
 * when the grant began. A text says why that is not known.
 */
async function latestEnd(
  context: CommandContext,
  stateDir: string,
  lease: OpenLease,
): Promise<Date | string> {
  const { granted } = lease;
  const provider = await providerOf(lease);
  if (provider === null) return 'its provider is unknown to this version';
  let life = provider.minimumLife;
  if (provider.unseenLife !== undefined) {
    const found = await configOf(context, stateDir, granted);
    if (found.config === null) return found.why;
    if (found.config.provider !== textAt(granted, 'provider')) return 'its map names another provider';
    life = Math.max(life, provider.unseenLife(found.config, numberAt(granted, 'ttl_seconds') ?? 0));
  }
  const [deadline, start] = ['deadline', 'timestamp'].map((name) => Date.parse(textAt(granted, name) ?? ''));
  const latest = new Date(Math.max(deadline ?? 0, (start ?? 0) + life * 1000) + UNSEEN_SLACK_MS);
  return Number.isNaN(latest.getTime()) ? 'its record has no times' : latest;
}

/** Issuing took so long at most, and clocks may differ by as much again. */
const UNSEEN_SLACK_MS = 120_000;

function onlyExpiry({ issued }: OpenLease): string {
  return `only its expiry ends it, at ${textAt(issued ?? {}, 'expires_at') ?? 'a time not recorded'}`;
}

function at(time: Date): string {
  return time.toISOString();
}
