/** A CI system's OIDC issuer: the request address of a GitHub Actions job, and the keys that it publishes. */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { exportJWK, type JSONWebKeySet, SignJWT } from 'jose';
import { Refusal, reply } from '../call.ts';
import { startIssuer, type TestIssuer } from '../kit.ts';

export interface OidcServer extends TestIssuer {
  readonly issuer: string;
  readonly jwks: JSONWebKeySet;
  /** The variables of a job that may ask for a token. */
  readonly jobEnv: Readonly<Record<string, string>>;
  /** Claims of every token from here on; undefined leaves one out. */
  claims: Record<string, unknown>;
  /** Signs the claims for an audience, `changes` on top. */
  sign(audience: string, changes?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Signs by a key that is not published, under the published one's name. */
  forge: boolean;
  /** Changes the documents that are published. */
  publish: { document?: Record<string, unknown>; keys?: Record<string, unknown> };
}

let made: { readonly published: KeyPair; readonly other: KeyPair } | undefined;
type KeyPair = ReturnType<typeof rsa>;
const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 });

/** Made once: RSA keys take their time. */
function keyPairs() {
  made ??= { published: rsa(), other: rsa() };
  return made;
}

/** Of a push to main of acme/web-app, unless the claims are changed. `path` is a part of the issuer's name. */
export async function startOidcServer(path = ''): Promise<OidcServer> {
  const { published, other } = keyPairs();
  const jwk = { ...(await exportJWK(published.publicKey)), kid: 'ci-1', alg: 'RS256', use: 'sig' };
  let requestToken = '';
  const server = await startIssuer({
    routes: (issuer) => {
      requestToken = issuer.secret('request_');
      return [
        {
          name: 'id_token',
          method: 'GET',
          path: '/job/token',
          async handle(call) {
            const { audience = '' } = call.query(['api-version', 'audience']);
            if (call.bearer() !== requestToken) throw new Refusal(401, 'unauthorized');
            return reply(200, { count: 1, value: await oidc.sign(audience) });
          },
        },
        {
          name: 'discovery',
          method: 'GET',
          path: `${path}/.well-known/openid-configuration`,
          handle: () =>
            reply(200, {
              issuer: oidc.issuer,
              jwks_uri: `${issuer.url}/keys`,
              id_token_signing_alg_values_supported: ['RS256'],
              ...oidc.publish.document,
            }),
        },
        {
          name: 'keys',
          method: 'GET',
          path: '/keys',
          handle: () => reply(200, { keys: [jwk], ...oidc.publish.keys }),
        },
      ];
    },
  });
  const issuer = `${server.url}${path}`;
  const oidc: OidcServer = Object.assign(server, {
    issuer,
    jwks: { keys: [jwk] },
    jobEnv: {
      GITHUB_ACTIONS: 'true',
      ACTIONS_ID_TOKEN_REQUEST_URL: `${server.url}/job/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken,
    },
    claims: {
      sub: 'repo:acme/web-app:ref:refs/heads/main',
      repository: 'acme/web-app',
      ref: 'refs/heads/main',
      ref_type: 'branch',
      sha: 'a'.repeat(40),
      actor: 'octocat',
      environment: 'preview',
    } as Record<string, unknown>,
    forge: false,
    publish: {},
    async sign(audience: string, changes: Readonly<Record<string, unknown>> = {}) {
      const now = Math.floor(server.now().getTime() / 1000);
      const claims = {
        iss: issuer,
        aud: audience,
        iat: now,
        exp: now + 300,
        jti: randomUUID(),
        ...oidc.claims,
        ...changes,
      };
      const key = oidc.forge ? other.privateKey : published.privateKey;
      return server.keep(
        await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 'ci-1' }).sign(key),
      );
    },
  });
  return oidc;
}
