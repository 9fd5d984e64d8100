/** What to change where Google refuses: by the code it answers, with what the proof says of itself. */
import { escapeText } from '../../../base/escape.ts';
import { shellQuote } from '../../../base/shell-quote.ts';
import type { TokenClaims, TokenProof } from '../../sources/proof.ts';
import type { Impersonation } from './impersonate.ts';
import type { GcpPlan } from './plan.ts';

/** Codes of RFC 6749 section 5.2 and RFC 8693 section 2.2.2. */
export const STS_ERRORS = [
  'invalid_grant',
  'invalid_target',
  'invalid_request',
  'invalid_scope',
  'invalid_client',
  'unauthorized_client',
  'access_denied',
] as const;

/** Codes of google.rpc.Code. */
export const IAM_ERRORS = [
  'PERMISSION_DENIED',
  'NOT_FOUND',
  'INVALID_ARGUMENT',
  'FAILED_PRECONDITION',
  'UNAUTHENTICATED',
  'RESOURCE_EXHAUSTED',
  'UNAVAILABLE',
  'INTERNAL',
] as const;

/** For a proof that is not exchanged. */
export function stsHint(word: string | null, plan: GcpPlan, { claims }: TokenProof): string | undefined {
  const look = describeProvider(plan);
  switch (word) {
    case 'invalid_target':
      return `audience in the map names no provider that is there and enabled: ${look}`;
    case 'invalid_grant':
    case 'invalid_client':
      return `compare issuer, audiences and keys of the provider with the token (${wordsOf(claims)}): ${look}`;
    case 'unauthorized_client':
    case 'access_denied':
      return `compare the attribute condition of the provider with the token (${wordsOf(claims)}): ${look}`;
    case 'invalid_scope':
      return 'compare scope in the map with the scopes that there are';
    default:
      return undefined;
  }
}

/** For a service account whose token is not issued. New grants take up to minutes to work. */
export function iamHint(
  word: string | null,
  { plan, to, proof, lifetime }: Impersonation,
): string | undefined {
  const account = shellQuote(to.account);
  switch (word) {
    case 'PERMISSION_DENIED':
      return to.delegates.length > 0
        ? `each delegate needs roles/iam.serviceAccountTokenCreator on the next: gcloud iam service-accounts get-iam-policy ${account}`
        : `gcloud iam service-accounts add-iam-policy-binding ${account} --role=roles/iam.workloadIdentityUser --member=${shellQuote(memberOf(plan, proof.claims))} (new grants take minutes)`;
    case 'NOT_FOUND':
      return `gcloud iam service-accounts describe ${account}`;
    case 'INVALID_ARGUMENT':
      return lifetime > 3600
        ? `ttl: 1h; more takes the account in constraints/iam.allowServiceAccountCredentialLifetimeExtension`
        : 'compare scope and delegates in the map';
    case 'FAILED_PRECONDITION':
      return `is the account disabled? gcloud iam service-accounts describe ${account}`;
    default:
      return undefined;
  }
}

function wordsOf({ issuer, audience, subject }: TokenClaims): string {
  return escapeText(`subject "${subject}", audience "${audience.join(', ')}", issuer "${issuer}"`);
}

/** The identity of a pool whose `google.subject` is the token's own, as is usual. */
function memberOf({ config }: GcpPlan, { subject }: TokenClaims): string {
  const pool = config.audience.replace(/^\/\/(.*)\/providers\/.*$/, '$1');
  return `principal://${pool}/subject/${escapeText(subject)}`;
}

function describeProvider({ config }: GcpPlan): string {
  const [, project, pool, provider] =
    /\/projects\/(\d+)\/.*\/workloadIdentityPools\/([^/]+)\/providers\/([^/]+)$/.exec(config.audience) ?? [];
  return `gcloud iam workload-identity-pools providers describe ${provider} --workload-identity-pool=${pool} --location=global --project=${project}`;
}
