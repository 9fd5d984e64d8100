/** A new role session: the last checks that STS makes, and what its answer says of it. */
import { deflateRawSync } from 'node:zlib';
import type { SandboxRole } from './accounts.ts';
import { type PolicyDocument, parsePolicy } from './policy-document.ts';
import type { SessionTags } from './session-tags.ts';
import { addCredential, type Principal, type State, sessionArn, uniqueId } from './state.ts';
import { invalid, members } from './sts-parameters.ts';
import { isoSeconds, Refusal } from './wire.ts';
import type { XmlFields } from './xml.ts';

/** Makes the session. Returns the part of the answer that both calls share; throws Refusal. */
export function issueSession(
  parameters: ReadonlyMap<string, string>,
  role: SandboxRole,
  duration: number,
  { tags, transitive }: SessionTags,
  sourceIdentity: string | null,
  state: State,
): XmlFields {
  const [managed] = members(parameters, 'PolicyArns', 'arn');
  if (managed !== undefined) throw invalid(`ARN ${managed} does not exist or is not attachable.`);
  const text = parameters.get('Policy');
  const sessionPolicy = text === undefined ? null : readSessionPolicy(text);
  const packed = packedPercent(text, tags, state.packedPolicyBytes);
  if (packed !== null && packed > 100) {
    throw new Refusal(
      400,
      'PackedPolicyTooLarge',
      `Packed policy consumes ${packed}% of allotted space, please use smaller policy.`,
    );
  }
  const sessionName = parameters.get('RoleSessionName') ?? '';
  const principal: Principal = {
    kind: 'role-session',
    arn: sessionArn(role.arn, sessionName),
    userId: `${uniqueId('AROA', role.arn)}:${sessionName}`,
    owner: role,
    sessionPolicy,
    tags,
    transitiveTagKeys: transitive,
    sourceIdentity,
  };
  const seconds = Math.floor(state.now().getTime() / 1000);
  const expiresAt = new Date((seconds + duration) * 1000);
  const credential = addCredential(state, principal, expiresAt);
  state.issued.push(credential);
  return {
    Credentials: {
      AccessKeyId: credential.accessKeyId,
      SecretAccessKey: credential.secretAccessKey,
      SessionToken: credential.sessionToken ?? undefined,
      Expiration: isoSeconds(expiresAt),
    },
    AssumedRoleUser: { AssumedRoleId: principal.userId, Arn: principal.arn },
    PackedPolicySize: packed ?? undefined,
    SourceIdentity: sourceIdentity ?? undefined,
  };
}

function readSessionPolicy(text: string): PolicyDocument {
  const policy = parsePolicy(text);
  if (typeof policy === 'string') throw new Refusal(400, 'MalformedPolicyDocument', policy);
  return policy;
}

/** AWS packs policy and tags in a form it doesn't publish; compression stands in for it here. Null where there are none. */
function packedPercent(
  policy: string | undefined,
  tags: Readonly<Record<string, string>>,
  limit: number,
): number | null {
  const entries = Object.entries(tags);
  if (policy === undefined && entries.length === 0) return null;
  return Math.ceil((deflateRawSync(`${policy ?? ''}${entries.join(';')}`).length / limit) * 100);
}
