/**
 * What the program printed → a lease, in either of two shapes: capwrap's own, and that of a `credential_process` of AWS.
 * docs/providers.md documents both.
 */
import type { JsonObject } from '../../../base/json-object.ts';
import type { BrokerContext, LeaseFault } from '../../provider.ts';
import { awsSecrets, readAws } from './aws-lease.ts';
import { ownSecrets, readOwn } from './own-lease.ts';
import { NOTHING, type PrintedLease, type Shape, timeOf } from './printed-lease.ts';

/** By this name the handle carries capwrap's own id of the lease, for programs that keep that one. */
export const HANDLE_LEASE_ID = 'capwrap_lease_id';

/**
 * Reads a lease. Each secret is registered with the masker before anything else is looked at. Never throws: a
 * credential that may exist has to get its end, whatever is wrong with its description.
 */
export function readLease(
  document: JsonObject,
  context: Pick<BrokerContext, 'registerSecret'>,
): PrintedLease {
  const isAws = 'AccessKeyId' in document;
  const secrets = isAws ? awsSecrets(document) : ownSecrets(document);
  for (const [name, text] of secrets) {
    const trimmed = text.trim(); // a line end is no part of what a program would print
    for (const form of new Set([trimmed, text])) if (form !== '') context.registerSecret(name, form);
  }
  const read = isAws ? readAws(document) : readOwn(document);
  const fault = typeof read === 'string' ? unfit(read) : faultIn(read, secrets);
  return typeof read === 'string' || fault !== null
    ? { ...NOTHING, expiresAt: timeOf(document[isAws ? 'Expiration' : 'expires_at']), fault }
    : { ...read, fault };
}

function unfit(text: string): LeaseFault {
  return {
    code: 'ERR_PROVIDER_INVALID_RESPONSE',
    text,
    hint: 'see "command" in docs/providers.md for what the program has to print',
  };
}

/** A long-lived key is refused under any name, and what is public must not repeat what is secret. */
function faultIn(lease: Shape, secrets: readonly (readonly [string, string])[]): LeaseFault | null {
  const values = Object.values(lease.values);
  if (values.some(({ value }) => /^AKIA[A-Z0-9]{12,}$/.test(value))) {
    return {
      code: 'ERR_PROVIDER_INVALID_RESPONSE',
      text: 'printed a long-lived access key (AKIA...), which is never handed out',
      hint: 'let the program assume a role, and print the keys of that session',
    };
  }
  const open = [
    ...values.filter(({ secret }) => !secret).map(({ value }) => value),
    ...Object.keys(lease.values),
    ...(lease.scope ?? []),
    ...Object.entries(lease.handle ?? {}).flat(),
    lease.principal ?? '',
  ];
  const told = secrets.some(([, secret]) => secret.length >= 4 && open.some((text) => text.includes(secret)));
  return told ? unfit('printed a secret value in a public part of the lease too') : null;
}
