/** What is recorded of a lease: public facts, and how the child gets it. */

import type { Lease } from '../../broker/provider.ts';
import type { DeliveryKind } from '../../runner/delivery.ts';
import type { AuditFields } from './record.ts';
import type { RunSubject } from './run-subject.ts';

/** Said from the grant on, whether or not the program got as far as issuing. */
export function processFields({ secondProcess }: RunSubject): Omit<AuditFields, 'event'> {
  return secondProcess ? { second_process: true } : {};
}

export function deliveryFields(delivery: readonly DeliveryKind[]): Omit<AuditFields, 'event'> {
  return delivery.length > 0 ? { delivery } : {};
}

/** Public facts only: of the lease's values none is touched here. */
export function leaseFields(lease: Lease): Omit<AuditFields, 'event'> {
  const { facts } = lease;
  const text = (name: string) => (typeof facts[name] === 'string' ? { [name]: facts[name] } : {});
  return {
    expires_at: lease.expiresAt.toISOString(),
    principal: lease.principal,
    ...text('session_name'),
    ...text('access_key_id'),
    ...text('jti'),
    ...text('hashed_token'),
    ...text('source'),
    ...(facts['long_lived_source'] === true ? { long_lived_source: true } : {}),
    ...(typeof facts['clock_skew_seconds'] === 'number'
      ? { clock_skew_seconds: facts['clock_skew_seconds'] }
      : {}),
  };
}
