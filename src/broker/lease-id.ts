import { randomBytes } from 'node:crypto';

/** A fresh lease id: 64 random bits in hex, so that ids of many machines can be read side by side without a clash. */
export function newLeaseId(): string {
  return randomBytes(8).toString('hex');
}

/** True for text of a lease id's form. */
export function isLeaseId(text: string | undefined): text is string {
  return text !== undefined && /^[0-9a-f]{16}$/.test(text);
}
