/** The embedded issuer: short-lived signed tokens for internal services, with a revocation list that they can read. */
import { CapwrapError } from '../../../errors.ts';
import { LOCAL_DEFAULT_INJECT, type LocalIssuerConfig } from '../../../policy/providers/local-issuer.ts';
import type { BrokerContext, IssueRequest, Lease, Provider } from '../../provider.ts';
import {
  type IssuerFiles,
  issuerFiles,
  readJwks,
  readKey,
  readName,
  readRevocationList,
  required,
} from './files.ts';
import { liveKeys, type PrivateJwk } from './formats.ts';
import { MAX_TOKEN_LIFE, unixSeconds } from './times.ts';
import { claimsFor, signToken } from './token.ts';

/**
 * `issue` signs a JWT with the key from `<state>/issuer`, which `capwrap issuer init` makes; `end` puts it on the
 * revocation list; `probe` looks at it as a service would. No network, no process.
 */
export const localIssuer: Provider = {
  async issue(request, context) {
    const config = configOf(request);
    const claims = claimsFor(request, config, context.now());
    if (claims.exp - claims.iat > MAX_TOKEN_LIFE) {
      throw new CapwrapError(
        'ERR_PROVIDER_EXPIRY',
        `"ttl" of ${request.ttl} s is over the local issuer's 24 h`,
        {
          hint: `in capability "${request.capability.name}": max_ttl: 24h`,
        },
      );
    }
    const { issuer, key } = readyIssuer(localFiles(context), claims.exp);
    context.registerSecret('issuer_key', key.d);
    const token = await signToken(key, issuer, claims);
    context.registerSecret('token', token);
    loadEndWhileChildRuns();
    return leaseOf(config, claims, token, { issuer, kid: key.kid });
  },

  minimumLife: 0,

  async probe(lease, context) {
    const { probeToken } = await loadEnd();
    return probeToken(lease, localFiles(context), context.now());
  },

  async end(lease, context) {
    const { endToken } = await loadEnd();
    return endToken(endOf(lease.leaseId, lease.expiresAt), localFiles(context), context.now());
  },

  handleSuffices: true,

  async endByHandle(handle, _config, context) {
    const { endToken } = await loadEnd();
    const token = { jti: handle['jti'] ?? '', exp: Number(handle['exp']) };
    const answer = await endToken(token, localFiles(context), context.now());
    const error = answer.kind === 'failed' ? answer.error : null;
    const outcome = error === null ? 'revoked_unverified' : 'revoke_failed';
    return { outcome, end: answer.did, probe: null, error };
  },

  preview(request) {
    const { iat: _, ...claims } = claimsFor(request, configOf(request), request.deadline);
    return { algorithm: 'EdDSA', ...claims };
  },
};

function endOf(jti: string, expiresAt: Date) {
  return { jti, exp: unixSeconds(expiresAt) };
}

const loadEnd = () => import('./end-token.ts');

/** Milliseconds after which the child has most likely been spawned, and capwrap has nothing to do. */
const CHILD_IS_UP = 25;

/** What checks signatures takes a few milliseconds to load: better beside the child than after it. */
function loadEndWhileChildRuns(): void {
  setTimeout(() => void loadEnd().catch(() => {}), CHILD_IS_UP).unref();
}

function configOf({ capability }: IssueRequest): LocalIssuerConfig {
  if (capability.config.provider === 'local-issuer') return capability.config;
  throw new CapwrapError('ERR_INTERNAL', `"${capability.name}" was handed to another provider's module`);
}

function localFiles({ stateDir }: BrokerContext): IssuerFiles {
  return issuerFiles(stateDir, process.getuid?.() ?? -1);
}

/** The name and key to sign with, once everything that a service needs, and that the end will need, is in place. */
function readyIssuer(files: IssuerFiles, exp: number): { issuer: string; key: PrivateJwk } {
  const key = required(readKey(files));
  const issuer = required(readName(files));
  // A rotation may have retired the key this very moment: it only has to stay published for as long as the token lives.
  const published = liveKeys(required(readJwks(files)), exp).some(
    ({ kid, x }) => kid === key.kid && x === key.x,
  );
  if (published && required(readRevocationList(files)).issuer === issuer) return { issuer, key };
  throw new CapwrapError('ERR_ISSUER_NOT_READY', '"local-issuer" has a key or a name that is not published', {
    hint: 'capwrap issuer init',
  });
}

function leaseOf(
  config: LocalIssuerConfig,
  claims: ReturnType<typeof claimsFor>,
  token: string,
  signed: { readonly issuer: string; readonly kid: string },
): Lease {
  const expiresAt = new Date(claims.exp * 1000);
  return {
    leaseId: claims.jti,
    provider: 'local-issuer',
    values: {
      token: { value: token, secret: true },
      jti: { value: claims.jti, secret: false },
      expires_at: { value: expiresAt.toISOString(), secret: false },
    },
    defaultInject: LOCAL_DEFAULT_INJECT,
    expiresAt,
    principal: claims.sub,
    scope: config.scope,
    handle: { jti: claims.jti, exp: String(claims.exp) },
    facts: { jti: claims.jti, audience: config.audience, ...signed },
    warnings: 'capwrap_task' in claims ? [] : ['the task id is too long for a token and was left out of it'],
  };
}
