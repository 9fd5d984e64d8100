/**
 * Fields of the provider `gcp`. Limits are those of Google's Security Token Service and IAM Credentials API:
 * https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
 * https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
 */
import * as v from 'valibot';
import {
  keys,
  kind,
  listOf,
  mapping,
  maybe,
  must,
  oneOf,
  path,
  serverUrl,
  text,
} from '../../schema-fields.ts';
import { sourceOf } from '../../sources/index.ts';

/** What the Security Token Service takes as proof: a token of an OIDC issuer. */
export const GCP_SOURCES = ['github-actions', 'token-env', 'token-file', 'web-identity-file'] as const;

/** `environment`: in variables. `metadata-endpoint`: from a server on this machine that lives as long as the child. */
export const GCP_DELIVERIES = ['environment', 'metadata-endpoint', 'both'] as const;

const MAX_BOUNDARY_RULES = 10;

const serviceAccount = text(
  /^(?:[a-z0-9][a-z0-9-]*@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.gserviceaccount\.com|\d{10,30})$/,
  'must be the email or the numeric id of a service account',
  256,
);

const project = text(
  /^(?:[a-z][a-z0-9.-]*:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/,
  'must be the id of a project: letters, digits, -',
  128,
);

const boundaryRule = keys({
  resource: must(
    text(
      /^\/\/storage\.googleapis\.com\/projects\/_\/buckets\/[a-z0-9][a-z0-9._-]{1,221}[a-z0-9]$/,
      'must be a bucket: //storage.googleapis.com/projects/_/buckets/NAME',
    ),
    'The bucket; a boundary works for Cloud Storage alone',
  ),
  permissions: must(
    listOf(
      text(
        /^inRole:(?:(?:projects|organizations)\/[a-z0-9.:-]+\/)?roles\/[A-Za-z0-9._]+$/,
        'must be a role such as inRole:roles/storage.objectViewer',
        256,
      ),
    ),
    'Roles whose permissions may be used there, each as inRole:ROLE',
  ),
  condition: maybe(
    text(/^[^\u0000-\u001f\u007f-\u009f]+$/, 'must be one line of text, not empty'),
    "A CEL expression that must hold, such as resource.name.startsWith('projects/_/buckets/b/objects/x/')",
  ),
});

export const gcpFields = {
  provider: kind('gcp', 'An access token of Google Cloud, by workload identity federation'),
  audience: must(
    text(
      /^\/\/iam\.googleapis\.com\/projects\/\d{1,20}\/locations\/global\/workloadIdentityPools\/[a-z0-9-]{4,32}\/providers\/[a-z0-9-]{4,32}$/,
      'must be //iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER',
    ),
    'The provider of the workload identity pool that takes the proof',
  ),
  service_account: maybe(
    serviceAccount,
    'The service account to speak as; without it the token speaks as the identity of the pool, and lives as long as Google decides (mostly 1h)',
  ),
  delegates: maybe(
    listOf(serviceAccount),
    'Service accounts between the identity of the pool and service_account, each of which may issue tokens for the next',
  ),
  scope: must(
    listOf(
      text(
        /^https:\/\/[a-z0-9.-]+\.(?:com|org)\/[A-Za-z0-9._/-]*$/,
        'must be an OAuth scope such as https://www.googleapis.com/auth/devstorage.read_only',
        256,
      ),
    ),
    'OAuth scopes of the token; what the account may do in IAM bounds it too',
  ),
  boundary: maybe(
    v.pipe(
      listOf(mapping(boundaryRule, 'Roles on a bucket')),
      v.maxLength(MAX_BOUNDARY_RULES, `must not have more than ${MAX_BOUNDARY_RULES} entries`),
    ),
    'Credential Access Boundary: the token works for these buckets, with these roles, and for nothing else',
  ),
  project: maybe(project, 'Project that the tools work in: GOOGLE_CLOUD_PROJECT and CLOUDSDK_CORE_PROJECT'),
  quota_project: maybe(project, 'Project whose quota is used: GOOGLE_CLOUD_QUOTA_PROJECT'),
  source: must(mapping(sourceOf(GCP_SOURCES), 'The proof shown to Google'), 'The proof shown to Google'),
  sts_endpoint: maybe(
    serverUrl,
    'Security Token Service instead of https://sts.googleapis.com, such as a Private Service Connect endpoint',
  ),
  iam_endpoint: maybe(serverUrl, 'IAM Credentials API instead of https://iamcredentials.googleapis.com'),
  ca_file: maybe(path, 'PEM bundle that replaces the built-in roots for both endpoints'),
  delivery: maybe(
    oneOf(...GCP_DELIVERIES),
    'How the child gets the token: in variables, from a metadata server on this machine that lives as long as it does, or both',
  ),
};
