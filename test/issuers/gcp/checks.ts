/** What Google checks of a request: the proof, a lifetime, a boundary. */
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { Refusal } from '../call.ts';

export const AUDIENCE =
  '//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci-pool/providers/github';
export const ACCOUNT = 'previews@acme-web.iam.gserviceaccount.com';
export const DELEGATE = 'deployer@acme-web.iam.gserviceaccount.com';
export const CLOUD_PLATFORM = 'https://www.googleapis.com/auth/cloud-platform';
export const STORAGE_SCOPE = 'https://www.googleapis.com/auth/devstorage.read_write';
export const BUCKET = '//storage.googleapis.com/projects/_/buckets/acme-previews';

export interface BoundaryRule {
  readonly availableResource: string;
  readonly availablePermissions: readonly string[];
}

/** Parameters that the exchange knows. */
export const FORM = [
  'grant_type',
  'audience',
  'scope',
  'requested_token_type',
  'subject_token_type',
  'subject_token',
  'options',
];

/** The claims of a proof that the provider of the pool takes. */
export async function verify(
  { issuer, jwks }: { readonly issuer: string; readonly jwks: JSONWebKeySet },
  form: Readonly<Record<string, string>>,
  now: Date,
): Promise<JWTPayload> {
  if (form['audience'] !== AUDIENCE) throw new Refusal(400, 'invalid_target', 'no such provider');
  try {
    const { payload, protectedHeader } = await jwtVerify(
      form['subject_token'] ?? '',
      createLocalJWKSet(jwks),
      {
        algorithms: ['RS256', 'ES256'],
        issuer,
        // What a provider allows whose allowed audiences are left empty.
        audience: [`https:${AUDIENCE}`, AUDIENCE],
        currentDate: now,
        requiredClaims: ['iat', 'exp', 'sub'],
      },
    );
    if (protectedHeader.kid === undefined) throw new Error('kid');
    if ((payload.exp ?? 0) - (payload.iat ?? 0) >= 48 * 3600) throw new Error('exp');
    return payload;
  } catch {
    throw new Refusal(400, 'invalid_grant', 'the token is not accepted');
  }
}

/** Seconds of `600s`. */
export function lifeIn(lifetime: unknown, { maxLife }: { readonly maxLife: number }): number {
  const seconds = Number(/^(\d+)s$/.exec(String(lifetime ?? '3600s'))?.[1] ?? Number.NaN);
  if (!(seconds > 0 && seconds <= maxLife)) throw new Refusal(400, 'INVALID_ARGUMENT', 'lifetime');
  return seconds;
}

/** The rules of a boundary, each sound. */
export function boundaryIn(options: string): readonly BoundaryRule[] {
  const bad = (what: string) => new Refusal(400, 'invalid_request', what);
  let parsed: { accessBoundary?: { accessBoundaryRules?: unknown } };
  try {
    parsed = JSON.parse(options);
  } catch {
    throw bad('options');
  }
  if (Object.keys(parsed).join() !== 'accessBoundary') throw bad('options');
  if (JSON.stringify(parsed.accessBoundary).length > 2048) throw bad('the boundary is too long');
  const rules = parsed.accessBoundary?.accessBoundaryRules;
  if (!Array.isArray(rules) || rules.length < 1 || rules.length > 10) throw bad('rules');
  for (const rule of rules) {
    if (!/^\/\/storage\.googleapis\.com\/projects\/_\/buckets\/[^/]+$/.test(rule.availableResource))
      throw bad('resource');
    if (!rule.availablePermissions?.every((one: string) => /^inRole:.*roles\//.test(one)))
      throw bad('permissions');
    const condition = rule.availabilityCondition?.expression;
    if (rule.availabilityCondition !== undefined && typeof condition !== 'string') throw bad('condition');
  }
  return rules;
}
