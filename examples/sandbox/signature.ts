/** A Version 4 signature: its header read, its dates, and the signature that a request ought to carry. */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Call } from './wire.ts';

/** The parts of an `Authorization` header. */
export interface Authorization {
  readonly accessKeyId: string;
  /** `yyyymmdd` of the scope. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 +Credential=(?<accessKeyId>\w{16,128})\/(?<date>\d{8})\/(?<region>[a-z0-9-]+)\/(?<service>[a-z0-9-]+)\/aws4_request, *SignedHeaders=(?<signed>[a-z0-9;._-]+), *Signature=(?<signature>[0-9a-f]{64})$/;

/** The parsed header; null where it is missing or has another form (SigV4A included). */
export function parseAuthorization(header: string | undefined): Authorization | null {
  const groups = AUTHORIZATION.exec(header ?? '')?.groups;
  if (groups === undefined) return null;
  const { accessKeyId = '', date = '', region = '', service = '', signed = '', signature = '' } = groups;
  return { accessKeyId, date, region, service, signedHeaders: signed.split(';'), signature };
}

/** The signature that this secret gives for the call, in lower-case hex: the published signer signs it again. */
export async function expectedSignature(
  call: Call,
  { accessKeyId, region, service, signedHeaders }: Authorization,
  sentAt: Date,
  secretAccessKey: string,
): Promise<string> {
  const signer = new SignatureV4({
    // The token is among the received headers; handing it to the signer would replace what was sent.
    credentials: { accessKeyId, secretAccessKey },
    region,
    service,
    sha256: Sha256,
    // S3 signs the path as sent, every other service encodes it once more.
    uriEscapePath: service !== 's3',
    applyChecksum: false,
  });
  const query: Record<string, string[]> = Object.create(null);
  for (const [name, value] of call.query) query[name] = [...(query[name] ?? []), value];
  const again = await signer.sign(
    {
      method: call.method,
      protocol: 'http:',
      hostname: '',
      path: call.path,
      query,
      headers: Object.fromEntries(signedHeaders.map((name) => [name, call.headers[name] ?? ''])),
      body: call.body,
    },
    { signingDate: sentAt, signableHeaders: new Set(signedHeaders) },
  );
  return parseAuthorization(again.headers['authorization'])?.signature ?? '';
}

/** `20261123T150405Z` as a time; null for anything else, a 30th of February included. */
export function parseAmzDate(text: string | undefined): Date | null {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? '');
  if (match === null) return null;
  const [, year, month, day, hour, minute, second] = match;
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return !Number.isNaN(date.getTime()) && compact(date) === text ? date : null;
}

/** A time as `20261123T150405Z`. */
export function compact(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d{3}/g, '');
}

/** Node's hashes behind the interface that the signer asks for. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = secret instanceof ArrayBuffer ? new Uint8Array(secret) : secret;
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', key as string | Uint8Array);
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest());
  }
}
