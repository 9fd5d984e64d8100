/**
 * Source `container`: the keys of an ECS task's role, or of an EKS pod's (Pod Identity), from the agent beside it.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */

import { objectIn } from '../../base/json-object.ts';
import { CapwrapError } from '../../errors.ts';
import { type Source, sourceLabel } from '../../policy/sources/index.ts';
import { isLoopback } from '../endpoint.ts';
import { textAt } from '../json-body.ts';
import type { BrokerContext } from '../provider.ts';
import { askMetadata, metadataFault } from './ask-metadata.ts';
import type { KeyProof } from './proof.ts';
import { toSessionProof } from './session-keys.ts';
import { assertUnexposed, readSourceFile } from './source-file.ts';

type ContainerSource = Extract<Source, { type: 'container' }>;

const ECS = 'http://169.254.170.2';
/** The agents of ECS and EKS. SDKs go to any host by https, too; here a variable can't send the pod's token elsewhere. */
const AGENTS = ['169.254.170.2', '169.254.170.23', '[fd00:ec2::23]'];
const MAX_TOKEN_BYTES = 20_000;

const RELATIVE = 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI';
const FULL = 'AWS_CONTAINER_CREDENTIALS_FULL_URI';
const TOKEN = 'AWS_CONTAINER_AUTHORIZATION_TOKEN';
const TOKEN_FILE = 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE';

/** Asks the agent that the platform's variables point to. Of the caller's variables only these four are read. */
export async function readContainer(source: ContainerSource, context: BrokerContext): Promise<KeyProof> {
  const label = sourceLabel(source);
  const url = placeOf(source, context);
  const token = tokenOf(label, context);
  const headers = { accept: 'application/json', ...(token !== null && { authorization: token }) };
  const answer = await askMetadata(url, 'GET', headers, context);
  const keys = answer.status === 200 ? objectIn(answer.text) : null;
  if (keys === null) {
    const hint = answer.status === null ? 'is this the container that the variables are for?' : undefined;
    throw unavailable(label, `got no keys: "${url.host}" ${metadataFault(answer)}`, hint);
  }
  return toSessionProof(
    {
      accessKeyId: textAt(keys, 'AccessKeyId') ?? undefined,
      secretAccessKey: textAt(keys, 'SecretAccessKey') ?? undefined,
      sessionToken: textAt(keys, 'Token') ?? undefined,
      expiresAt: new Date(textAt(keys, 'Expiration') ?? Number.NaN),
    },
    { label, remedy: 'look at the role of the task or of the pod identity association, and at the clock' },
    context,
  );
}

/** SDKs differ in which of the two variables wins, so both together are refused. */
function placeOf(source: ContainerSource, { env }: BrokerContext): URL {
  const label = sourceLabel(source);
  const [relative, full] = [env[RELATIVE], env[FULL]];
  if (relative && full) throw invalid(label, `has both ${RELATIVE} and ${FULL}`, `unset one of them`);
  if (relative) {
    const base = source.endpoint ?? ECS;
    const url =
      /^\/[\x21-\x7e]*$/.test(relative) && URL.canParse(base + relative) ? new URL(base + relative) : null;
    if (url === null || url.origin !== new URL(base).origin)
      throw invalid(label, `has a ${RELATIVE} that is no path`);
    return url;
  }
  if (!full) {
    throw unavailable(
      label,
      `has neither ${RELATIVE} nor ${FULL}`,
      'ECS sets one for a task with a task role, EKS for a pod with a pod identity association',
    );
  }
  const url = URL.canParse(full) ? new URL(full) : null;
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '' || !isAgent(url)) {
    const hosts = [...AGENTS, '127.0.0.1'].join(', ');
    throw invalid(label, `has a ${FULL} that is not http:// on one of ${hosts}`, `unset ${FULL}`);
  }
  return url;
}

function isAgent(url: URL): boolean {
  return url.protocol === 'http:' && (AGENTS.includes(url.hostname) || isLoopback(url));
}

/** The file goes before the variable, as in the SDKs: EKS rotates it. */
function tokenOf(label: string, context: BrokerContext): string | null {
  const path = context.env[TOKEN_FILE];
  let token = context.env[TOKEN];
  if (path) {
    const file = readSourceFile(path, MAX_TOKEN_BYTES);
    if (file === null) throw unavailable(label, `has no file "${path}", which ${TOKEN_FILE} names`);
    token = file.text.replace(/\r?\n$/, '');
    if (token !== '') context.registerSecret('container_authorization_token', token);
    assertUnexposed(file);
  } else if (token) context.registerSecret('container_authorization_token', token);
  if (!token) return null;
  if (/^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(token)) return token;
  throw invalid(label, `has an authorization token with a line break or control character in it`);
}

function unavailable(label: string, what: string, hint?: string): CapwrapError {
  return new CapwrapError('ERR_SOURCE_UNAVAILABLE', `source "${label}" ${what}`, { hint });
}

function invalid(label: string, what: string, hint?: string): CapwrapError {
  return new CapwrapError('ERR_SOURCE_INVALID', `source "${label}" ${what}`, { hint });
}
