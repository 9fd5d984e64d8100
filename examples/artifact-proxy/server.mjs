#!/usr/bin/env node
// An artifact proxy: serves the files of a folder to whoever shows a token that the issuer meant for this service.
// It knows of the issuer only what the issuer publishes: its name, its public keys and its revocation list.
//   node server.mjs --issuer NAME --issuer-url http://127.0.0.1:8787 --root ./artifacts [--port 0]
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const AUDIENCE = 'artifact-proxy';
const SCOPE = 'artifacts:read';

const { values: options } = parseArgs({
  options: {
    issuer: { type: 'string' },
    'issuer-url': { type: 'string' },
    root: { type: 'string' },
    port: { type: 'string', default: '0' },
  },
});
for (const name of ['issuer', 'issuer-url', 'root']) {
  if (!options[name]) throw new Error(`--${name} is needed`);
}
const jwksUrl = new URL('/.well-known/jwks.json', options['issuer-url']);
const keys = createRemoteJWKSet(jwksUrl, { cacheMaxAge: 60_000 });
const listUrl = new URL('/revoked.json', options['issuer-url']);

/** A refusal: an HTTP status and, for RFC 6750, what is wrong with the token. */
class Refused extends Error {
  constructor(status, error) {
    super(error);
    this.status = status;
  }
}

/** The claims of a token that is good here and now; throws a Refused for any other. */
async function authenticate(header) {
  const token = /^Bearer ([\w.-]+)$/i.exec(header ?? '')?.[1];
  if (token === undefined) throw new Refused(401, 'missing_token');
  const { payload } = await jwtVerify(token, keys, {
    algorithms: ['EdDSA'],
    typ: 'at+jwt',
    issuer: options.issuer,
    audience: AUDIENCE,
    requiredClaims: ['exp', 'jti'],
    clockTolerance: 5,
  }).catch((error) => {
    const aboutToken = /^ERR_(?:JWT|JWS|JOSE_ALG|JOSE_NOT|JWKS_NO)_/.test(error.code);
    throw aboutToken ? new Refused(401, 'invalid_token') : new Refused(503, 'issuer_unavailable');
  });
  // The signature stays good until `exp`: only this list, read anew each time, tells that a token's run is over.
  if ((await revokedIds()).has(payload.jti)) throw new Refused(401, 'invalid_token');
  if (!String(payload.scope).split(' ').includes(SCOPE)) throw new Refused(403, 'insufficient_scope');
  return payload;
}

async function revokedIds() {
  try {
    const answer = await fetch(listUrl, { redirect: 'error', signal: AbortSignal.timeout(2000) });
    const list = await answer.json();
    if (answer.ok && list.version === 1 && list.issuer === options.issuer) {
      return new Set(list.revoked.map(({ jti }) => jti));
    }
  } catch {
    // no list, no way to tell: refuse below
  }
  throw new Refused(503, 'issuer_unavailable');
}

const server = createServer(async (request, response) => {
  try {
    const { jti } = await authenticate(request.headers.authorization);
    const name = /^\/artifacts\/([\w-][\w.-]*)$/.exec(request.url)?.[1];
    if (request.method !== 'GET' || name === undefined) throw new Refused(404, 'not_found');
    const file = await open(join(options.root, name)).catch(() =>
      Promise.reject(new Refused(404, 'not_found')),
    );
    console.log(`served ${name} jti=${jti}`);
    createReadStream('', { fd: file })
      .on('error', () => response.destroy())
      .pipe(response);
  } catch (error) {
    const status = error instanceof Refused ? error.status : 500;
    // RFC 6750 section 3.1: who showed no token at all is told of the scheme alone.
    const detail = error.message === 'missing_token' ? '' : ` error="${error.message}"`;
    const challenge = status === 401 || status === 403 ? { 'www-authenticate': `Bearer${detail}` } : {};
    response.writeHead(status, { 'content-type': 'text/plain', ...challenge });
    response.end(`${status === 500 ? 'error' : error.message}\n`);
  }
});
server.listen(Number(options.port), '127.0.0.1', () =>
  console.log(`url=http://127.0.0.1:${server.address().port}`),
);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(0));
