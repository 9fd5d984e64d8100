/** Provider `gcp`: an access token of Google Cloud, by workload identity federation. */
import { compareTokens } from '../diff/compare-tokens.ts';
import { absolute } from '../sources/fields.ts';
import { normaliseSource, type Source } from '../sources/index.ts';
import { compareSources, sourceText } from '../sources/source-text.ts';
import { row, words } from '../summary-text.ts';
import { compareFields, type FieldComparisons } from './compare-fields.ts';
import type { ProviderPolicy, RawOf } from './descriptor.ts';
import { type BoundaryRule, boundaryText, compareBoundaries } from './gcp/boundary.ts';
import { checkGcp } from './gcp/check.ts';
import { type GCP_DELIVERIES, GCP_SOURCES, gcpFields } from './gcp/fields.ts';

export type GcpSource = Extract<Source, { type: (typeof GCP_SOURCES)[number] }>;

export interface GcpConfig {
  readonly provider: 'gcp';
  /** `//iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER` */
  readonly audience: string;
  /** Email or numeric id; null where the token speaks as the identity of the pool. */
  readonly serviceAccount: string | null;
  readonly delegates: readonly string[];
  /** OAuth scopes, in the order of the map. */
  readonly scope: readonly string[];
  /** Null for none; there only with a service account. */
  readonly boundary: readonly BoundaryRule[] | null;
  readonly project: string | null;
  readonly quotaProject: string | null;
  readonly source: GcpSource;
  /** URLs; null means Google's own. */
  readonly stsEndpoint: string | null;
  readonly iamEndpoint: string | null;
  /** Absolute path; null for the built-in roots. */
  readonly caFile: string | null;
  readonly delivery: (typeof GCP_DELIVERIES)[number];
}

/** Whether the token is in variables of the child. */
function inVariables({ delivery }: { readonly delivery?: GcpConfig['delivery'] }): boolean {
  return delivery !== 'metadata-endpoint';
}

/** Child variable → value of the lease: of gcloud and its fellows, of Terraform's provider, and of all tools for the project. */
export function gcpDefaultInject(
  config: { readonly project: boolean; readonly quotaProject: boolean } & Pick<
    Partial<GcpConfig>,
    'delivery'
  >,
): Readonly<Record<string, string>> {
  return {
    ...(inVariables(config) && { CLOUDSDK_AUTH_ACCESS_TOKEN: 'token', GOOGLE_OAUTH_ACCESS_TOKEN: 'token' }),
    ...(config.project && { GOOGLE_CLOUD_PROJECT: 'project', CLOUDSDK_CORE_PROJECT: 'project' }),
    ...(config.quotaProject && {
      GOOGLE_CLOUD_QUOTA_PROJECT: 'quota_project',
      CLOUDSDK_BILLING_QUOTA_PROJECT: 'quota_project',
    }),
  };
}

/** Where Google's tools look for a token, for keys, and for whom to speak as. */
const CREDENTIAL_NAMES = [
  'CLOUDSDK_AUTH_ACCESS_TOKEN',
  'CLOUDSDK_AUTH_ACCESS_TOKEN_FILE',
  'CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE',
  'CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT',
  'GOOGLE_OAUTH_ACCESS_TOKEN',
  'GOOGLE_CREDENTIALS',
  'GOOGLE_CLOUD_KEYFILE_JSON',
  'GCLOUD_KEYFILE_JSON',
  'GOOGLE_IMPERSONATE_SERVICE_ACCOUNT',
  'GCE_METADATA_HOST',
  'GCE_METADATA_IP',
  'GCE_METADATA_ROOT',
];

const COMPARISONS: FieldComparisons<GcpConfig> = {
  audience: 'widening',
  serviceAccount: 'widening',
  delegates: 'widening',
  scope: compareTokens,
  boundary: compareBoundaries,
  project: 'widening',
  quotaProject: 'widening',
  source: compareSources,
  stsEndpoint: 'widening',
  iamEndpoint: 'widening',
  caFile: 'widening',
  delivery: 'widening',
};

export const gcp: ProviderPolicy<typeof gcpFields, GcpConfig> = {
  name: 'gcp',
  fields: gcpFields,
  examples: {
    audience:
      'audience: //iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci-pool/providers/github',
    service_account: 'service_account: previews@acme-web.iam.gserviceaccount.com',
    scope: "scope: ['https://www.googleapis.com/auth/devstorage.read_write']",
    boundary:
      "boundary: [{resource: //storage.googleapis.com/projects/_/buckets/acme-previews, permissions: ['inRole:roles/storage.objectUser']}]",
    resource: 'resource: //storage.googleapis.com/projects/_/buckets/acme-previews',
    permissions: "permissions: ['inRole:roles/storage.objectUser']",
    source: 'source: {type: github-actions}',
  },
  sources: GCP_SOURCES,
  normalise,
  check: checkGcp,
  leaseValues: ['token', 'expires_at', 'project', 'quota_project', 'service_account'],
  injectHelp:
    'Child variables and the values of the lease they get, instead of those that gcloud and Terraform read',
  defaultInject: ({ project, quota_project, delivery }) =>
    gcpDefaultInject({
      project: project !== undefined,
      quotaProject: quota_project !== undefined,
      ...(delivery !== undefined && { delivery }),
    }),
  spellsOutInject: false,
  credentialNames: CREDENTIAL_NAMES,
  scopeWords: ({ scope, boundary }) => [
    ...scope.map(shortScope),
    ...new Set(boundary?.flatMap(({ permissions }) => permissions)),
  ],
  target: ({ serviceAccount, audience }) =>
    serviceAccount === null ? audience : `${serviceAccount} through ${audience}`,
  reach: ({ scope, boundary }) => [...scope, ...(boundary ?? []).map((rule) => `only ${boundaryText(rule)}`)],
  summaryRows: (config) => [
    row('audience', config.audience),
    row('service account', config.serviceAccount),
    ['delegates', config.delegates.length === 0 ? null : words(config.delegates)],
    ['scope', words(config.scope)],
    ...(config.boundary ?? []).map((rule) => row('boundary', boundaryText(rule))),
    row('project', config.project),
    row('quota project', config.quotaProject),
    ['source', sourceText(config.source)],
    row('sts endpoint', config.stsEndpoint),
    row('iam endpoint', config.iamEndpoint),
    row('ca file', config.caFile),
    row('delivery', config.delivery === 'environment' ? null : config.delivery),
  ],
  proofs: ({ source }) => [{ at: 'source', source }],
  compare: (before, after, at) => compareFields(COMPARISONS, before, after, at),
  *lint({ scope, boundary, serviceAccount }, capability) {
    const index = scope.findIndex((one) => shortScope(one) === 'cloud-platform');
    if (index < 0 || boundary !== null) return;
    const who = serviceAccount ?? 'the identity of the pool';
    yield {
      code: 'broad',
      at: `capabilities.${capability}.scope[${index}]`,
      message: `"${capability}" allows all that ${who} may do in Google Cloud`,
      fix: 'name a narrower scope, add a boundary for Cloud Storage, or use a service account that can do little',
    };
  },
};

function normalise(raw: RawOf<typeof gcpFields>, dir: string): GcpConfig {
  return {
    provider: raw.provider,
    audience: raw.audience,
    serviceAccount: raw.service_account ?? null,
    delegates: raw.delegates ?? [],
    scope: raw.scope,
    boundary:
      raw.boundary?.map(({ resource, permissions, condition = null }) => ({
        resource,
        permissions,
        condition,
      })) ?? null,
    project: raw.project ?? null,
    quotaProject: raw.quota_project ?? null,
    source: normaliseSource(raw.source, dir),
    stsEndpoint: raw.sts_endpoint ?? null,
    iamEndpoint: raw.iam_endpoint ?? null,
    caFile: absolute(raw.ca_file, dir),
    delivery: raw.delivery ?? 'environment',
  };
}

/** `devstorage.read_write` for the scopes that share Google's prefix. */
function shortScope(scope: string): string {
  return scope.replace('https://www.googleapis.com/auth/', '');
}
