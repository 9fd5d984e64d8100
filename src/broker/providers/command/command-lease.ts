/** A lease of this module, with what its end and its probe need. */

import type { JsonObject } from '../../../base/json-object.ts';
import type { CommandConfig } from '../../../policy/providers/command.ts';
import type { IssueRequest, Lease } from '../../provider.ts';
import { HANDLE_LEASE_ID } from './lease-document.ts';
import type { PrintedLease } from './printed-lease.ts';

export interface CommandLease extends Lease {
  readonly config: CommandConfig;
  /** What the program printed; it is told again at the end, and nowhere else. Null where only the handle is left. */
  readonly document: JsonObject | null;
  readonly printed: PrintedLease;
  /** capwrap's own variables of the programs. */
  readonly variables: Readonly<Record<string, string>>;
}

/** `document` and `printed` hold secrets, so they are hidden from whatever lists the lease. */
export function commandLease(
  request: IssueRequest,
  config: CommandConfig,
  document: JsonObject,
  printed: PrintedLease,
  variables: Readonly<Record<string, string>>,
): CommandLease {
  const canEnd = config.end !== null && printed.handle !== null;
  const lease: Lease = {
    leaseId: request.leaseId,
    provider: 'command',
    values: printed.values,
    defaultInject: printed.defaultInject,
    expiresAt: printed.expiresAt,
    principal: printed.principal ?? 'unknown',
    scope: printed.scope ?? config.scope,
    facts: accessKey(printed),
    handle: canEnd ? { ...printed.handle, [HANDLE_LEASE_ID]: request.leaseId } : null,
    warnings: [],
  };
  return Object.defineProperties(lease, {
    config: { value: config },
    document: { value: document },
    printed: { value: printed },
    variables: { value: variables },
  }) as CommandLease;
}

/** The id of an access key is public, and tells it in the issuer's own log. */
function accessKey({ values, defaultInject }: PrintedLease): Record<string, string> {
  const id = values['access_key_id']?.value;
  return id !== undefined && 'AWS_ACCESS_KEY_ID' in defaultInject ? { access_key_id: id } : {};
}
