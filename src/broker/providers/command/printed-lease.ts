/** A lease as a program printed it, in whichever shape. */
import type { LeaseFault, LeaseHandle, LeaseValue } from '../../provider.ts';

/** A lease as far as it can be read. Where `fault` says why it must not be used, nothing public of it is kept. */
export interface PrintedLease {
  readonly values: Readonly<Record<string, LeaseValue>>;
  readonly defaultInject: Readonly<Record<string, string>>;
  /** An invalid date where there is none that can be read. */
  readonly expiresAt: Date;
  readonly principal: string | null;
  /** Null where the program did not say. */
  readonly scope: readonly string[] | null;
  readonly handle: LeaseHandle | null;
  readonly fault: LeaseFault | null;
}

/** What a reader of one shape finds. */
export type Shape = Omit<PrintedLease, 'fault'>;

export const NOTHING: Shape = {
  values: {},
  defaultInject: {},
  expiresAt: new Date(Number.NaN),
  principal: null,
  scope: null,
  handle: null,
};

/** RFC 3339, with its offset: a local time means another moment on another machine. */
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** An invalid date for what is no such time. */
export function timeOf(text: unknown): Date {
  return new Date(typeof text === 'string' && RFC_3339.test(text) ? text : Number.NaN);
}
