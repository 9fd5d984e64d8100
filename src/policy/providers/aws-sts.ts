/** Provider `aws-sts`: a session of an IAM role, cut down to a scope. */
import { escapeValue } from '../../base/escape.ts';
import { compareRecord } from '../diff/compare-record.ts';
import { absolute } from '../sources/fields.ts';
import { normaliseSource, type Source } from '../sources/index.ts';
import { compareSources, sourceText } from '../sources/source-text.ts';
import { pairs, type Row, words } from '../summary-text.ts';
import { checkAwsSts } from './aws-sts/check.ts';
import { compareAwsScope } from './aws-sts/compare-scope.ts';
import { AWS_SOURCES, awsStsFields } from './aws-sts/fields.ts';
import { compareFields, type FieldComparisons } from './compare-fields.ts';
import type { ProviderPolicy } from './descriptor.ts';

/** One entry of `scope` for AWS. `broad` records that the map allows a wildcard on purpose. */
export interface AwsScopeEntry {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly broad: boolean;
}

export interface AwsStsConfig {
  readonly provider: 'aws-sts';
  readonly roleArn: string;
  readonly region: string;
  /** URL of the STS endpoint; null means the region's own. */
  readonly endpoint: string | null;
  /** Absolute path of a PEM bundle that replaces the built-in roots for this endpoint; null for none. */
  readonly caFile: string | null;
  readonly source: Source;
  readonly scope: readonly AwsScopeEntry[];
  readonly externalId: string | null;
  /** The MFA device whose code is asked for on the terminal; null for none. */
  readonly mfaSerial: string | null;
  readonly sourceIdentity: string | null;
  readonly sessionTags: Readonly<Record<string, string>>;
  /** How the child gets the keys: in variables, or from a server on this machine that lives as long as it does. */
  readonly delivery: 'environment' | 'credentials-endpoint';
}

/** The value of a session tag in whose place the head of the audit log is sent. */
export const AUDIT_HEAD = '{audit_head}';

/** Child variable → value of the lease, by the standard names of the AWS SDKs and CLI. */
export const AWS_DEFAULT_INJECT: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: 'access_key_id',
  AWS_SECRET_ACCESS_KEY: 'secret_access_key',
  AWS_SESSION_TOKEN: 'session_token',
  AWS_CREDENTIAL_EXPIRATION: 'expiration',
  AWS_REGION: 'region',
  AWS_DEFAULT_REGION: 'region',
};

/** What stays of them where the keys come from the credentials endpoint: not a key, nor the expiry of one. */
export const AWS_ENDPOINT_INJECT: Readonly<Record<string, string>> = {
  AWS_REGION: 'region',
  AWS_DEFAULT_REGION: 'region',
};

/** By which SDKs find a credentials endpoint; beside keys they would be a second credential. */
const ENDPOINT_NAMES = [
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
];

const COMPARISONS: FieldComparisons<AwsStsConfig> = {
  roleArn: 'widening',
  region: 'widening',
  endpoint: 'widening',
  caFile: 'widening',
  externalId: 'widening',
  mfaSerial: 'widening',
  sourceIdentity: 'widening',
  delivery: 'widening',
  source: compareSources,
  scope: compareAwsScope,
  sessionTags: (before, after, at) => compareRecord(before, after, at, 'session_tag'),
};

export const awsSts: ProviderPolicy<typeof awsStsFields, AwsStsConfig> = {
  name: 'aws-sts',
  fields: awsStsFields,
  freeMappings: ['session_tags'],
  examples: {
    role_arn: 'role_arn: arn:aws:iam::123456789012:role/preview-deployer',
    region: 'region: us-east-1',
    source: 'source: {type: profile, profile: agent-base}',
    scope: "scope: [{actions: [s3:PutObject], resources: ['arn:aws:s3:::acme-previews/*']}]",
    actions: 'actions: [s3:PutObject]',
    resources: "resources: ['arn:aws:s3:::acme-previews/*']",
  },
  sources: AWS_SOURCES,
  normalise: (raw, dir) => ({
    provider: raw.provider,
    roleArn: raw.role_arn,
    region: raw.region,
    endpoint: raw.endpoint ?? null,
    caFile: absolute(raw.ca_file, dir),
    source: normaliseSource(raw.source, dir),
    scope: raw.scope.map(({ actions, resources, broad }) => ({
      actions,
      resources,
      broad: broad === 'allow',
    })),
    externalId: raw.external_id ?? null,
    mfaSerial: raw.mfa_serial ?? null,
    sourceIdentity: raw.source_identity ?? null,
    sessionTags: raw.session_tags ?? {},
    delivery: raw.delivery ?? 'environment',
  }),
  check: checkAwsSts,
  leaseValues: ['access_key_id', 'secret_access_key', 'session_token', 'expiration', 'region'],
  injectHelp: 'Child variables and the values of the lease they get, instead of the standard AWS_* names',
  defaultInject: ({ delivery }) =>
    delivery === 'credentials-endpoint' ? AWS_ENDPOINT_INJECT : AWS_DEFAULT_INJECT,
  spellsOutInject: false,
  credentialNames: [
    ...Object.keys(AWS_DEFAULT_INJECT).filter((name) => !name.endsWith('REGION')),
    ...ENDPOINT_NAMES,
  ],
  wantsAuditHead: ({ sessionTags }) => Object.values(sessionTags).includes(AUDIT_HEAD),
  scopeWords: ({ scope }) => scope.flatMap(({ actions }) => actions),
  target: ({ roleArn }) => roleArn,
  reach: ({ scope }) =>
    scope.map(({ actions, resources }) => `${actions.join(', ')} on ${resources.join(', ')}`),
  summaryRows: (config) => [
    ['role', escapeValue(config.roleArn)],
    ['region', escapeValue(config.region)],
    ['endpoint', config.endpoint && escapeValue(config.endpoint)],
    ['ca file', config.caFile && escapeValue(config.caFile)],
    ['source', sourceText(config.source)],
    ...config.scope.map((entry): Row => ['scope', scopeText(entry)]),
    ['external id', config.externalId && escapeValue(config.externalId)],
    ['mfa device', config.mfaSerial && escapeValue(config.mfaSerial)],
    ['source identity', config.sourceIdentity && escapeValue(config.sourceIdentity)],
    ...pairs(config.sessionTags).map((text): Row => ['session tag', text]),
    ['delivery', config.delivery === 'environment' ? null : config.delivery],
  ],
  proofs: ({ source }) => [{ at: 'source', source }],
  compare: (before, after, at) => compareFields(COMPARISONS, before, after, at),
  *lint({ scope }, capability) {
    for (const [index, { broad, actions, resources }] of scope.entries()) {
      if (!broad) continue;
      yield {
        code: 'broad',
        at: `capabilities.${capability}.scope[${index}]`,
        message: `"${capability}" allows ${actions.join(', ')} on ${resources.join(', ')}`,
        fix: 'name the actions and resources that are needed and delete broad',
      };
    }
  },
};

function scopeText(entry: AwsScopeEntry): string {
  const text = `${words(entry.actions)} on ${words(entry.resources)}`;
  return entry.broad ? `${text} broad=allow` : text;
}
