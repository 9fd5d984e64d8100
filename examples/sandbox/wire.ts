/** What goes over the wire, as values: a request as received, an answer, a refusal. */
import { randomBytes } from 'node:crypto';
import type { XmlFields } from './xml.ts';

export const SERVICES = ['sts', 's3', 'cloudfront'] as const;
export type Service = (typeof SERVICES)[number];

/** A request as it arrived. Header names are lower-case; repeated headers are joined with a comma. */
export interface Call {
  readonly method: string;
  /** The path as sent, still encoded. */
  readonly path: string;
  /** Decoded names and values, in the order sent. */
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** An error that AWS would answer with. `details` are further elements of the error document. */
export class Refusal extends Error {
  readonly code: string;
  readonly status: number;
  readonly details: XmlFields;

  constructor(status: number, code: string, message: string, details: XmlFields = {}) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** The value of a query parameter, or undefined; the first one where it is repeated. */
export function queryValue(call: Call, name: string): string | undefined {
  return call.query.find(([key]) => key === name)?.[1];
}

/** Letters as AWS uses them in identifiers: upper-case base 32. */
export function randomId(prefix: string, length: number): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return prefix + Array.from(randomBytes(length), (byte) => letters[byte % 32]).join('');
}

/** `2026-11-23T15:04:05Z`. */
export function isoSeconds(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, 'Z');
}
