/**
 * The client before its server: each request carries a proof of who sends it. What the files hold is read once, when the
 * lease is issued, and stays in memory until it has ended, whatever happens to the files meanwhile.
 */
import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import { CapwrapError } from '../../../errors.ts';
import type { Oauth2Config } from '../../../policy/providers/oauth2.ts';
import type { BrokerContext } from '../../provider.ts';
import { readSourceFile } from '../../sources/source-file.ts';
import { type ClientKey, readClientKey, readSecretFile } from './client-key.ts';

/** Seconds that an assertion is good for: it is made right before its request. */
const ASSERTION_LIFE = 120;

const MAX_CERTIFICATE_BYTES = 256 * 1024;

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** What is added to a request. */
export interface ClientProof {
  readonly form: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Client {
  /** Its name in RFC 8414 and its registry: `private_key_jwt`, `client_secret_basic`, … */
  readonly method: string;
  /** Certificate and key for TLS (RFC 8705); null for other methods. */
  readonly identity: { readonly cert: string; readonly key: string } | null;
  /** A proof for one request. `audience` is whom an assertion is for, unless the map says it. */
  prove(audience: string, context: Pick<BrokerContext, 'now' | 'registerSecret'>): Promise<ClientProof>;
}

/** Reads what the map names. Throws ERR_SOURCE_UNAVAILABLE or ERR_SOURCE_INVALID. */
export function loadClient({ clientAuth, clientId }: Oauth2Config, context: BrokerContext): Client {
  const named = clientId === null ? {} : { client_id: clientId };
  switch (clientAuth.type) {
    case 'private-key-jwt': {
      const key = readClientKey(clientAuth.keyFile, context);
      const { keyId, audience: fixed } = clientAuth;
      return {
        method: 'private_key_jwt',
        identity: null,
        async prove(audience, using) {
          const client_assertion = await sign({ ...key, keyId: keyId ?? key.keyId }, clientId ?? '', {
            audience: fixed ?? audience,
            now: using.now(),
          });
          using.registerSecret('client_assertion', client_assertion);
          return { form: { ...named, client_assertion_type: ASSERTION_TYPE, client_assertion }, headers: {} };
        },
      };
    }
    case 'mtls': {
      const key = readSecretFile(clientAuth.keyFile, 'the private key of the certificate, in PEM', context);
      const cert = readCertificate(clientAuth.certFile);
      assertPair(cert, key, clientAuth);
      return {
        method: 'tls_client_auth',
        identity: { cert, key },
        prove: async () => ({ form: named, headers: {} }),
      };
    }
    case 'secret-file': {
      const secret = readSecretFile(clientAuth.path, 'the client secret', context);
      // RFC 6749 appendix A.2: VSCHAR
      if (!/^[ -~]+$/.test(secret)) {
        throw new CapwrapError(
          'ERR_SOURCE_INVALID',
          `"${clientAuth.path}" holds more than one line of ASCII`,
          {
            hint: 'it should hold the client secret and nothing else',
          },
        );
      }
      const basic = clientAuth.method === 'basic';
      const pair = Buffer.from(`${formEncoded(clientId ?? '')}:${formEncoded(secret)}`).toString('base64');
      if (basic) context.registerSecret('client_authorization', pair);
      const proof: ClientProof = basic
        ? { form: {}, headers: { authorization: `Basic ${pair}` } }
        : { form: { ...named, client_secret: secret }, headers: {} };
      return {
        method: basic ? 'client_secret_basic' : 'client_secret_post',
        identity: null,
        prove: async () => proof,
      };
    }
    case 'none':
      return { method: 'none', identity: null, prove: async () => ({ form: named, headers: {} }) };
  }
}

/** RFC 7523 section 3; the audience is one text, as its update of 2025 asks. */
async function sign(
  { key, algorithm, keyId }: ClientKey,
  clientId: string,
  { audience, now }: { readonly audience: string; readonly now: Date },
): Promise<string> {
  const { SignJWT } = await import('jose/jwt/sign');
  const iat = Math.floor(now.getTime() / 1000);
  const claims = {
    iss: clientId,
    sub: clientId,
    aud: audience,
    jti: randomUUID(),
    iat,
    exp: iat + ASSERTION_LIFE,
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: algorithm, typ: 'JWT', ...(keyId !== null && { kid: keyId }) })
    .sign(key);
}

/** A certificate is no secret: it may be readable by all. */
function readCertificate(path: string): string {
  const text = readSourceFile(path, MAX_CERTIFICATE_BYTES)?.text ?? '';
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new CapwrapError('ERR_SOURCE_UNAVAILABLE', `"${path}" holds no certificate in PEM`, {
    hint: 'the map names it under client_auth: cert_file',
  });
}

/** TLS would refuse them too, in words that could quote the file. */
function assertPair(
  cert: string,
  key: string,
  { certFile, keyFile }: Extract<Oauth2Config['clientAuth'], { type: 'mtls' }>,
): void {
  const fits = attempt(() => new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)));
  if (fits) return;
  const what =
    fits === null
      ? `and "${keyFile}" are no certificate and private key`
      : `is no certificate of the key in "${keyFile}"`;
  throw new CapwrapError('ERR_SOURCE_INVALID', `"${certFile}" ${what}`, {
    hint: 'both must be PEM, the key not encrypted, and the first certificate the one of the key',
  });
}

/** Null for whatever is thrown. */
function attempt(action: () => boolean): boolean | null {
  try {
    return action();
  } catch {
    return null;
  }
}

/** RFC 6749 section 2.3.1: both parts of Basic are form-encoded first. */
function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
