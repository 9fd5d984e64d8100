/**
 * Fields of the provider `aws-sts`. Limits are those of AssumeRole:
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
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

/** What STS takes as proof. */
export const AWS_SOURCES = [
  'profile',
  'sso',
  'env',
  'instance',
  'container',
  'web-identity-file',
  'token-file',
  'token-env',
  'github-actions',
] as const;

const scopeEntry = keys({
  actions: must(
    listOf(text(/^(?:\*|[a-z0-9-]+:[A-Za-z0-9*?]+)$/, 'must be an IAM action such as s3:PutObject', 256)),
    'IAM actions',
  ),
  resources: must(
    listOf(text(/^(?:\*|arn:[ -~\u00a0-\u00ff]+)$/, 'must be an ARN or *')),
    'ARNs; IAM wildcards are allowed',
  ),
  broad: maybe(
    oneOf('refuse', 'allow'),
    'Whether an action of *, or a resource of * for a write action, is meant',
  ),
});

/** `*` and `:` as IAM allows them; tag keys starting with `aws:` are reserved. */
const TAG_KEY = /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/iu;
const TAG_VALUE = /^(?:[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}|\{audit_head\})$/u;
const TAG_WORDS = 'letters, digits, blanks and _.:/=+-@';

export const awsStsFields = {
  provider: kind('aws-sts', 'A session of an IAM role, from AWS STS'),
  role_arn: must(
    text(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/, 'must be the ARN of an IAM role'),
    'The role to assume',
  ),
  region: must(
    text(/^[a-z]{2,}(?:-[a-z]+)+-\d+$/, 'must be an AWS region', 32),
    'Region of STS and of the child',
  ),
  endpoint: maybe(serverUrl, "URL of the STS endpoint instead of the region's own"),
  ca_file: maybe(path, 'PEM bundle that replaces the built-in roots for the endpoint'),
  source: must(mapping(sourceOf(AWS_SOURCES), 'The proof shown to STS'), 'The proof shown to STS'),
  scope: must(
    listOf(mapping(scopeEntry, 'Actions on resources')),
    'What the credential may do at most: becomes the inline session policy',
  ),
  external_id: maybe(
    text(/^[\w+=,.@:/-]{2,}$/, 'must be 2 to 1224 letters, digits or +=,.@:/-', 1224),
    "External id that the role's trust policy asks for",
  ),
  mfa_serial: maybe(
    text(/^[\w+=/:,.@-]{9,}$/, 'must be the ARN or serial number of an MFA device', 256),
    "MFA device of the source's user: its code is asked for on the terminal at each run",
  ),
  source_identity: maybe(
    text(/^[\w+=,.@-]{2,}$/, 'must be 2 to 64 letters, digits or +=,.@-', 64),
    'SourceIdentity of the session; needs sts:SetSourceIdentity',
  ),
  session_tags: maybe(
    mapping(
      v.pipe(
        v.record(
          v.pipe(
            v.string(),
            v.regex(TAG_KEY, `must be a tag key: 1 to 128 ${TAG_WORDS}, not starting with aws:`),
          ),
          v.pipe(
            v.string('must be text'),
            v.regex(TAG_VALUE, `must be up to 256 ${TAG_WORDS}, or "{audit_head}"`),
          ),
        ),
        v.maxEntries(50, 'must not have more than 50 tags'),
      ),
      'Tags by key',
    ),
    'Session tags; need sts:TagSession. The value "{audit_head}" stands for the head of the audit log',
  ),
  delivery: maybe(
    oneOf('environment', 'credentials-endpoint'),
    'How the child gets the keys: in variables, or from an endpoint on this machine that lives as long as it does',
  ),
};
