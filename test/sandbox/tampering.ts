/** Requests that are altered after they were signed, as data. */
import type { Sandbox } from '../../examples/sandbox/server.ts';
import { type RawReply, type RawRequest, type SignOptions, send, sign } from './requests.ts';

export interface Case {
  readonly name: string;
  readonly options?: SignOptions;
  readonly minutesAgo?: number;
  /** What is altered after signing; null takes a header away. */
  readonly method?: string;
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: string;
  readonly authorization?: (header: string) => string | string[];
  readonly status: number;
  readonly code: string;
  readonly message?: RegExp;
}

export const mismatch = { status: 403, code: 'SignatureDoesNotMatch' };
const flipLast = (text: string) => text.slice(0, -1) + (text.endsWith('0') ? '1' : '0');

/** What changes a request after it was signed: the signature no longer fits, whatever the service. */
export const TAMPERED: readonly Case[] = [
  {
    name: 'a signed header has another value',
    headers: { 'content-type': 'text/html' },
  },
  { name: 'a signed header is gone', headers: { 'content-type': null } },
  { name: 'the host is another one', headers: { host: 'sts.amazonaws.com' } },
  {
    name: 'the session token is another one',
    headers: { 'x-amz-security-token': 'other' },
  },
  { name: 'the query has grown', query: { versionId: '1' } },
  { name: 'the query has grown by a name of the language', query: { toString: '1' } },
  { name: 'the method is another one', method: 'PATCH' },
  { name: 'the path is another one', path: '/acme-previews/other' },
  { name: 'the signature is off by one digit', authorization: flipLast },
  {
    name: 'the region of the scope is another one',
    authorization: (header: string) => header.replace('us-east-1', 'eu-west-1'),
  },
  { name: 'the secret is another one', options: { secretAccessKey: 'wrong' } },
].map((one) => ({ ...one, ...mismatch }));

/** Signs the request as the case says, alters it and sends it. */
export async function attempt(
  sandbox: Sandbox,
  one: Case,
  base: Partial<RawRequest>,
  service: 'sts' | 's3',
): Promise<RawReply> {
  const date = new Date(Date.now() - (one.minutesAgo ?? 0) * 60_000);
  const signed = await sign(sandbox, sandbox.credentials.base, base, { service, date, ...one.options });
  const { method, path, body } = { ...signed, ...one };
  const headers: RawRequest['headers'] = {};
  for (const [name, value] of Object.entries({ ...signed.headers, ...one.headers })) {
    if (value !== null) headers[name] = value;
  }
  if (one.authorization) headers['authorization'] = one.authorization(String(headers['authorization']));
  return send(sandbox, { method, path, body, headers, query: { ...one.query } });
}
