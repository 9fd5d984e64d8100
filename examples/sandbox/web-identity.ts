/** The check that STS makes of an OIDC token before it lets it assume a role. */
import { createLocalJWKSet, decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import type { SandboxRole, WebIdentityTrust } from './accounts.ts';
import { matches } from './conditions.ts';
import { checkTags, type SessionTags } from './session-tags.ts';
import { Refusal } from './wire.ts';

export interface WebIdentity {
  readonly role: SandboxRole;
  readonly subject: string;
  readonly issuer: string;
  readonly audience: string;
  readonly tags: SessionTags;
  readonly sourceIdentity: string | null;
}

/** The algorithms that AWS accepts. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];

/**
 * Verifies the token's signature, issuer, audience and time, then the role's trust in its subject. Throws Refusal.
 * `roles` are searched for the provider: it is registered with the account, not with a role.
 */
export async function verifyWebIdentity(
  token: string,
  role: SandboxRole | undefined,
  roles: readonly SandboxRole[],
  now: Date,
): Promise<WebIdentity> {
  const claimedIssuer = readClaims(token).iss;
  const provider = roles
    .flatMap((one) => one.trust.webIdentity ?? [])
    .find((trust) => trust.issuer === claimedIssuer);
  if (provider === undefined) {
    throw rejected(`No OpenIDConnect provider found in your account for ${String(claimedIssuer)}`);
  }
  const claims = await verify(token, provider, now);
  const trust = role?.trust.webIdentity;
  const trusted =
    trust !== undefined && trust.issuer === provider.issuer && matches(trust.subject, claims.sub ?? '', {});
  if (role === undefined || !trusted) throw denied();
  const tags = tagClaims(claims);
  if (Object.keys(tags.tags).length > 0 && !role.trust.tagSession) throw denied();
  const sourceIdentity = claims['https://aws.amazon.com/source_identity'];
  if (sourceIdentity !== undefined && !role.trust.setSourceIdentity) throw denied();
  return {
    role,
    subject: claims.sub ?? '',
    issuer: provider.issuer,
    audience: provider.audience,
    tags,
    sourceIdentity: typeof sourceIdentity === 'string' ? sourceIdentity : null,
  };
}

function readClaims(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch {
    throw rejected(
      'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
    );
  }
}

async function verify(token: string, trust: WebIdentityTrust, now: Date): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(trust.jwks), {
      algorithms: ALGORITHMS,
      issuer: trust.issuer,
      audience: trust.audience,
      currentDate: now,
      requiredClaims: ['sub', 'exp', 'iat'],
    });
    const times = [payload.exp, payload.iat, payload.nbf ?? 0];
    if (!times.every(Number.isInteger)) throw rejected('The timestamps of the ID Token must be integers');
    return payload;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (error instanceof errors.JWTExpired) {
      const clock = `current date/time ${Math.floor(now.getTime() / 1000)}`;
      throw new Refusal(
        400,
        'ExpiredTokenException',
        `Token expired: ${clock} must be before the expiration date/time ${String(error.payload.exp)}`,
      );
    }
    if (error instanceof errors.JWTClaimValidationFailed) {
      throw rejected(
        error.claim === 'aud' ? 'Incorrect token audience' : `Invalid claim in the ID Token: ${error.claim}`,
      );
    }
    if (error instanceof errors.JOSEError) {
      throw rejected("Couldn't verify the signature of the ID Token with the keys of your identity provider");
    }
    throw error;
  }
}

/** Session tags come from a claim. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html */
function tagClaims(claims: JWTPayload): SessionTags {
  const claim = claims['https://aws.amazon.com/tags'];
  if (typeof claim !== 'object' || claim === null) return { tags: {}, transitive: [] };
  const { principal_tags = {}, transitive_tag_keys = [] } = claim as {
    principal_tags?: Record<string, readonly string[]>;
    transitive_tag_keys?: readonly string[];
  };
  const pairs = Object.entries(principal_tags).map(([key, values]) => {
    if (!Array.isArray(values) || values.length !== 1) {
      throw rejected('A session tag must have exactly one value');
    }
    return [key, String(values[0])] as const;
  });
  return checkTags(pairs, transitive_tag_keys);
}

function rejected(message: string): Refusal {
  return new Refusal(400, 'InvalidIdentityToken', message);
}

function denied(): Refusal {
  return new Refusal(403, 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
}
