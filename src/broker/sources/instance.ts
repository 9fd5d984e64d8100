/**
 * Source `instance`: the keys of the EC2 instance's role, by version 2 of its metadata service.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
 */

import { objectIn } from '../../base/json-object.ts';
import { CapwrapError } from '../../errors.ts';
import { type Source, sourceLabel } from '../../policy/sources/index.ts';
import { registerSecrets, textAt } from '../json-body.ts';
import type { BrokerContext } from '../provider.ts';
import { askMetadata, type MetadataAnswer, metadataFault } from './ask-metadata.ts';
import type { KeyProof } from './proof.ts';
import { toSessionProof } from './session-keys.ts';

type InstanceSource = Extract<Source, { type: 'instance' }>;

const ADDRESS = 'http://169.254.169.254';
const ROLES = '/latest/meta-data/iam/security-credentials/';
/** Seconds; three questions take no longer. */
const TOKEN_LIFE = '60';

/**
 * Asks for a session token, the role's name, and its keys. Version 1 of the service, which answers whoever can make
 * this machine send a request, is not asked. AWS_EC2_METADATA_* of the caller do not steer it.
 */
export async function readInstance(source: InstanceSource, context: BrokerContext): Promise<KeyProof> {
  const label = sourceLabel(source);
  const base = source.endpoint ?? ADDRESS;
  const unavailable = (what: string, hint?: string) =>
    new CapwrapError('ERR_SOURCE_UNAVAILABLE', `source "${label}" ${what}`, { hint });
  const { host } = new URL(base);
  const begun = await askMetadata(
    new URL('/latest/api/token', base),
    'PUT',
    { 'x-aws-ec2-metadata-token-ttl-seconds': TOKEN_LIFE, 'content-length': '0' },
    context,
  );
  if (begun.status !== 200) {
    throw unavailable(`got no token: "${host}" ${metadataFault(begun)}`, hintWithoutToken(begun));
  }
  const token = begun.text;
  if (!/^[\w+/=-]{1,1024}$/.test(token)) throw unavailable(`got no token: "${host}" answered something else`);
  context.registerSecret('instance_metadata_token', token);
  const ask = (path: string) =>
    askMetadata(new URL(path, base), 'GET', { 'x-aws-ec2-metadata-token': token }, context);

  const list = await ask(ROLES);
  if (list.status === 404) {
    throw unavailable(
      'has no role: the instance has no instance profile',
      'aws ec2 associate-iam-instance-profile --instance-id ID --iam-instance-profile Name=NAME',
    );
  }
  const role = list.status === 200 ? (list.text.split('\n')[0] ?? '').trim() : '';
  if (!/^[\w+=,.@-]{1,64}$/.test(role)) throw unavailable(`got no role: "${host}" ${metadataFault(list)}`);
  if (source.role !== null && role !== source.role) {
    throw new CapwrapError(
      'ERR_SOURCE_INVALID',
      `source "${label}" has the role "${role}", not "${source.role}"`,
      {
        hint: 'attach the instance profile of that role, or change role under source in the map',
      },
    );
  }
  const answer = await ask(`${ROLES}${role}`);
  const keys = answer.status === 200 ? objectIn(answer.text) : null;
  if (keys === null) throw unavailable(`got no keys: "${host}" ${metadataFault(answer)}`);
  registerSecrets(
    keys,
    { source_secret_access_key: ['SecretAccessKey'], source_session_token: ['Token'] },
    context,
  );
  const proof = {
    accessKeyId: textAt(keys, 'AccessKeyId') ?? undefined,
    secretAccessKey: textAt(keys, 'SecretAccessKey') ?? undefined,
    sessionToken: textAt(keys, 'Token') ?? undefined,
    expiresAt: new Date(textAt(keys, 'Expiration') ?? Number.NaN),
  };
  if (keys['Code'] !== undefined && keys['Code'] !== 'Success') {
    throw unavailable(
      `got no keys: EC2 may not assume the role "${role}"`,
      'its trust policy must name ec2.amazonaws.com',
    );
  }
  return toSessionProof(
    proof,
    { label, remedy: 'look at the role of the instance profile, and at the clock' },
    context,
  );
}

function hintWithoutToken(answer: MetadataAnswer): string | undefined {
  if (answer.status === 403) {
    return 'the metadata service is switched off: aws ec2 modify-instance-metadata-options --instance-id ID --http-endpoint enabled';
  }
  if (answer.status !== null) return undefined;
  return 'outside EC2 name another source; in a container the answer takes one hop more: aws ec2 modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit 2';
}
