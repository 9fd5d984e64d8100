/** The record at the end of a run. */

import type { Lease, Outcome, Revocation } from '../../broker/provider.ts';
import type { DeliveryKind } from '../../runner/delivery.ts';
import type { EndReason } from '../../runner/ending.ts';
import { signalName } from '../../runner/exit-status.ts';
import type { TerminalMode } from '../../runner/outputs.ts';
import { deliveryFields, leaseFields, processFields } from './lease-fields.ts';
import type { AuditFields } from './record.ts';
import { type RunSubject, subjectFields, type Terms, termFields } from './run-subject.ts';

/** Everything that was seen between the grant and its end. */
export interface RunEnding {
  readonly lease: Lease | null;
  /** Ways beside variables in which the child got it. */
  readonly delivery?: readonly DeliveryKind[];
  /** Expiry of a credential that the issuer handed out and capwrap refused. */
  readonly refusedUntil: Date | null;
  readonly revocation: Revocation | null;
  readonly child: ChildEnding | null;
  /** Names of secret values that were too short to be masked. */
  readonly unmasked: readonly string[];
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** What is recorded of the child. */
interface ChildEnding {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Number of a signal that has no name in Node. */
  readonly realTimeSignal: number | null;
  readonly durationMs: number;
  readonly endReason: EndReason | null;
  readonly terminal: TerminalMode | null;
  readonly masked: { readonly stdout: number; readonly stderr: number };
}

/** The whole story by itself. */
export function closedRecord(subject: RunSubject, terms: Terms, ending: RunEnding): AuditFields {
  const { lease, refusedUntil, delivery = [], revocation, child, unmasked, error } = ending;
  return {
    event: 'closed',
    ...subjectFields(subject),
    ...termFields(terms),
    ...processFields(subject),
    ...(lease ? leaseFields(lease) : {}),
    ...deliveryFields(delivery),
    ...(refusedUntil ? { expires_at: refusedUntil.toISOString() } : {}),
    outcome: revocation?.outcome ?? outcomeOfRefused(refusedUntil),
    ...(revocation ? { revocation } : {}),
    ...(child ? childFields(child) : {}),
    ...(unmasked.length > 0 ? { unmasked } : {}),
    ...(error ? { error: { code: error.code, message: subject.mask(error.message) } } : {}),
  };
}

/** A credential that capwrap refused was issued all the same, and lives or lived until its expiry. */
function outcomeOfRefused(until: Date | null): Outcome {
  if (until === null) return 'not_issued';
  return until.getTime() <= Date.now() ? 'expired' : 'expires';
}

function childFields(child: ChildEnding): Omit<AuditFields, 'event'> {
  return {
    child: { exit_code: child.exitCode, signal: signalName(child), duration_ms: child.durationMs },
    masked: child.masked,
    ...(child.terminal ? { terminal: child.terminal } : {}),
    ...(child.endReason === 'time_limit' ? { time_limit_reached: true } : {}),
    ...(child.endReason ? { end_reason: child.endReason } : {}),
  };
}
