/** What the issuer's little server answers. Everything is read from the files anew, so a revocation shows at once. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLoopback } from '../broker/endpoint.ts';
import {
  type IssuerFiles,
  readJwks,
  readName,
  readRevocationList,
  required,
} from '../broker/providers/local-issuer/files.ts';
import { liveKeys } from '../broker/providers/local-issuer/formats.ts';
import { unixSeconds } from '../broker/providers/local-issuer/times.ts';
import { verifyToken } from '../broker/providers/local-issuer/verify-token.ts';

const JWKS_PATH = '/.well-known/jwks.json';
const LIST_PATH = '/revoked.json';
const INTROSPECT_PATH = '/introspect';

/** A form with one token; tokens have to fit a header. */
const MAX_BODY = 64 * 1024;

interface Served {
  readonly files: IssuerFiles;
  /** True when only this machine can connect: then Host is checked, and tokens may be asked about. */
  readonly onLoopback: boolean;
}

interface Document {
  readonly type: string;
  /** `Cache-Control` of the answer. */
  readonly caching: string;
  readonly body: () => unknown;
}

/** Answers one request; what can't be read is a 503 without a word about why. Never throws. */
export async function answer(
  served: Served,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  try {
    // A web page whose own name was rebound to 127.0.0.1 sends that name.
    if (served.onLoopback && !isLoopback({ hostname: hostOf(request) }))
      return plain(response, 421, 'Misdirected Request');
    const path = request.url?.split('?', 1)[0] ?? '';
    if (path === INTROSPECT_PATH && served.onLoopback)
      return await introspect(served.files, request, response);
    const document = documentsOf(served)[path];
    if (document === undefined) return plain(response, 404, 'Not Found');
    if (request.method !== 'GET' && request.method !== 'HEAD') return notAllowed(response, 'GET, HEAD');
    sendDocument(request, response, document);
  } catch {
    if (response.headersSent) response.destroy();
    else plain(response, 503, 'Service Unavailable');
  }
}

function documentsOf({ files, onLoopback }: Served): Record<string, Document | undefined> {
  const metadata = {
    type: 'application/json',
    caching: 'max-age=60',
    body: () => metadataOf(files, onLoopback),
  };
  const documents: Record<string, Document> = {
    [JWKS_PATH]: {
      type: 'application/jwk-set+json',
      caching: 'max-age=60',
      body: () => ({ keys: liveKeys(required(readJwks(files)), unixSeconds(new Date())) }),
    },
    [LIST_PATH]: {
      type: 'application/json',
      caching: 'no-store',
      body: () => required(readRevocationList(files)),
    },
  };
  // RFC 8414 section 3.3: metadata belongs to an issuer whose name is the URL that it is found under.
  if (/^https?:/.test(required(readName(files)))) {
    documents['/.well-known/openid-configuration'] = metadata;
    documents['/.well-known/oauth-authorization-server'] = metadata;
  }
  return Object.assign(Object.create(null), documents);
}

/** RFC 8414 section 2. No grant is offered over the network: tokens are issued by `capwrap run` alone. */
function metadataOf(files: IssuerFiles, onLoopback: boolean): object {
  const issuer = required(readName(files));
  const base = issuer.replace(/\/$/, '');
  return {
    issuer,
    jwks_uri: `${base}${JWKS_PATH}`,
    response_types_supported: [],
    grant_types_supported: [],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['EdDSA'],
    capwrap_revocation_list: `${base}${LIST_PATH}`,
    ...(onLoopback ? { introspection_endpoint: `${base}${INTROSPECT_PATH}` } : {}),
  };
}

function sendDocument(request: IncomingMessage, response: ServerResponse, document: Document): void {
  const body = JSON.stringify(document.body());
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  response.setHeader('ETag', etag);
  response.setHeader('Cache-Control', document.caching);
  if (matches(request.headers['if-none-match'], etag)) {
    response.writeHead(304).end();
    return;
  }
  send(request, response, 200, document.type, body);
}

/** RFC 9110 section 13.1.2: weak comparison with each listed tag. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}

/** RFC 7662, for services on this machine: only what an active token says, and nothing about one that is not. */
async function introspect(
  files: IssuerFiles,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'POST') return notAllowed(response, 'POST');
  response.setHeader('Cache-Control', 'no-store');
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') return plain(response, 415, 'Unsupported Media Type');
  const body = await readBody(request);
  if (body === null) return plain(response, 413, 'Content Too Large');
  const tokens = new URLSearchParams(body).getAll('token');
  if (tokens.length !== 1)
    return send(request, response, 400, 'application/json', '{"error":"invalid_request"}');
  const verdict = await verifyToken(tokens[0] ?? '', {
    issuer: required(readName(files)),
    audience: null,
    scope: [],
    keys: required(readJwks(files)),
    list: required(readRevocationList(files)),
    now: new Date(),
  });
  const { status, claims } = verdict;
  const active = status === 'valid' ? { active: true, token_type: 'Bearer', ...claims } : { active: false };
  send(request, response, 200, 'application/json', JSON.stringify(active));
}

async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function hostOf({ headers }: IncomingMessage): string {
  return (headers.host ?? '').toLowerCase().replace(/:\d+$/, '');
}

function notAllowed(response: ServerResponse, allow: string): void {
  response.setHeader('Allow', allow);
  plain(response, 405, 'Method Not Allowed');
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Connection', 'close');
  send(response.req, response, status, 'text/plain; charset=utf-8', `${text}\n`);
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  type: string,
  body: string,
): void {
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.writeHead(status).end(request.method === 'HEAD' ? undefined : body);
}
