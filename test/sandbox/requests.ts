/** Requests to the sandbox that an SDK would not make: signed by hand, altered afterwards, sent over a plain socket. */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Sandbox } from '../../examples/sandbox/server.ts';
import type { Credential } from '../../examples/sandbox/state.ts';
import type { Service } from '../../examples/sandbox/wire.ts';

export interface RawRequest {
  method: string;
  /** Without the query. */
  path: string;
  query: Record<string, string>;
  headers: Record<string, string | string[]>;
  body: string;
}

export interface RawReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** The error's `Code`, or null. */
  readonly code: string | null;
  /** The error's `Message`, or null. */
  readonly message: string | null;
}

export interface SignOptions {
  readonly service?: Service | 'iam';
  readonly region?: string;
  readonly date?: Date;
  /** What is signed in place of the credential's own values. */
  readonly secretAccessKey?: string;
  readonly sessionToken?: string | null;
  /** Adds `x-amz-content-sha256`; STS does without it as well. */
  readonly digest?: boolean;
}

/** Signs a request, as a client would. */
export async function sign(
  sandbox: Sandbox,
  credential: Credential,
  request: Partial<RawRequest>,
  options: SignOptions = {},
): Promise<RawRequest> {
  const token = options.sessionToken === undefined ? credential.sessionToken : options.sessionToken;
  const service = options.service ?? 'sts';
  const signer = new SignatureV4({
    credentials: {
      accessKeyId: credential.accessKeyId,
      secretAccessKey: options.secretAccessKey ?? credential.secretAccessKey,
      ...(token === null ? {} : { sessionToken: token }),
    },
    region: options.region ?? 'us-east-1',
    service,
    sha256: Sha256,
    uriEscapePath: service !== 's3',
    applyChecksum: options.digest ?? true,
  });
  const { method = 'POST', path = '/', query = {}, headers = {}, body = '' } = request;
  const signed = await signer.sign(
    {
      method,
      path,
      query,
      body,
      protocol: 'http:',
      hostname: '127.0.0.1',
      headers: { host: new URL(sandbox.url).host, ...(headers as Record<string, string>) },
    },
    { signingDate: options.date ?? sandbox.state.now() },
  );
  return { method, path, query, body, headers: { ...signed.headers } };
}

/** Sends a request as it is. */
export function send(
  sandbox: Sandbox,
  { method, path, query, headers, body }: RawRequest,
): Promise<RawReply> {
  const search = Object.entries(query)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(sandbox.url);
    const outgoing = httpRequest(
      { method, hostname, port, path: search === '' ? path : `${path}?${search}`, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('error', reject);
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: text,
            code: element(text, 'Code'),
            message: element(text, 'Message'),
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The text of the first element of that name, unescaped, or null. */
export function element(xml: string, name: string): string | null {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  if (text === undefined) return null;
  return text.replace(/&#x([0-9a-f]+);/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

export const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** A signed STS call with these form parameters; undefined leaves one out. */
export async function sts(
  sandbox: Sandbox,
  credential: Credential,
  parameters: Readonly<Record<string, string | undefined>>,
  options: SignOptions = {},
): Promise<RawReply> {
  const body = form({ Version: '2011-06-15', ...parameters });
  return send(sandbox, await sign(sandbox, credential, { headers: FORM, body }, options));
}

/** Parameters as a form body. */
export function form(parameters: Readonly<Record<string, string | undefined>>): string {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) body.append(name, value);
  return body.toString();
}

class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string);
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest());
  }
}
