/** One call of AssumeRole or AssumeRoleWithWebIdentity through the official SDK. */
import { CapwrapError } from '../../../errors.ts';
import { AUDIT_HEAD } from '../../../policy/providers/aws-sts.ts';
import { readCaFile } from '../../ca-file.ts';
import type { BrokerContext } from '../../provider.ts';
import type { KeyProof, Proof, TokenProof } from '../../sources/proof.ts';
import type { StsOutput } from './answer.ts';
import { credentialsOf, fixedSettings } from './client-settings.ts';
import { explainFailure } from './failure.ts';
import type { StsPlan } from './plan.ts';
import { createTransport, type Seen } from './transport.ts';

export type StsSdk = typeof import('./sdk.ts');

export interface StsReply {
  readonly output: StsOutput;
  readonly sentAt: Date;
  readonly receivedAt: Date;
  /** The answer's `Date` header. */
  readonly date: string | undefined;
}

/**
 * Sends the plan with the proof, exactly once. Everything that the SDK would otherwise look for in variables, files or
 * the network is given. Throws a CapwrapError that says what to change.
 */
export async function sendExchange(
  sdk: StsSdk,
  plan: StsPlan,
  proof: Proof,
  mfaCode: string | null,
  context: BrokerContext,
): Promise<StsReply> {
  const seen: Seen = { sentAt: null, receivedAt: null, answer: null, fault: null };
  const client = clientFor(sdk, plan, proof, context, seen);
  try {
    const output = await (proof.kind === 'token'
      ? client.send(new sdk.AssumeRoleWithWebIdentityCommand(tokenInput(plan, proof)))
      : client.send(new sdk.AssumeRoleCommand(keyInput(plan, mfaCode))));
    const { sentAt, receivedAt, answer } = seen;
    if (!sentAt || !receivedAt || !answer) {
      throw new CapwrapError('ERR_INTERNAL', 'the SDK answered without asking');
    }
    return { output, sentAt, receivedAt, date: answer.headers['date'] };
  } catch (error) {
    throw error instanceof CapwrapError ? error : explainFailure(error, plan, proof, seen, context.now());
  } finally {
    client.destroy();
  }
}

/**
 * The caller's ARN; null where STS does not say: then the call that counts will tell why. It needs no permission, and
 * changes nothing.
 */
export async function askWhoCalls(
  sdk: StsSdk,
  plan: StsPlan,
  proof: KeyProof,
  context: BrokerContext,
): Promise<string | null> {
  const seen: Seen = { sentAt: null, receivedAt: null, answer: null, fault: null };
  const client = clientFor(sdk, plan, proof, context, seen);
  try {
    const { Arn } = await client.send(new sdk.GetCallerIdentityCommand({}));
    return Arn !== undefined && /^[\x21-\x7e]{1,512}$/.test(Arn) ? Arn : null;
  } catch {
    return null;
  } finally {
    client.destroy();
  }
}

function clientFor(sdk: StsSdk, plan: StsPlan, proof: Proof, context: BrokerContext, seen: Seen) {
  const ca = readCaFile(plan.config.caFile);
  const requestHandler = createTransport({ ca, signal: context.signal, now: context.now, seen });
  return new sdk.STSClient({
    region: plan.config.region,
    endpoint: plan.endpoint.href,
    requestHandler,
    sigv4aSigningRegionSet: [],
    ...fixedSettings(),
    ...(proof.kind === 'keys' && { credentials: credentialsOf(proof) }),
  });
}

function commonInput({ config, sessionName, durationSeconds, sessionPolicy }: StsPlan) {
  return {
    RoleArn: config.roleArn,
    RoleSessionName: sessionName,
    DurationSeconds: durationSeconds,
    Policy: sessionPolicy,
  };
}

function tokenInput(plan: StsPlan, proof: TokenProof) {
  return { ...commonInput(plan), WebIdentityToken: proof.token };
}

function keyInput(plan: StsPlan, mfaCode: string | null) {
  const { externalId, mfaSerial, sourceIdentity } = plan.config;
  const tags = tagsOf(plan);
  return {
    ...commonInput(plan),
    ...(externalId !== null && { ExternalId: externalId }),
    ...(mfaSerial !== null && mfaCode !== null && { SerialNumber: mfaSerial, TokenCode: mfaCode }),
    ...(sourceIdentity !== null && { SourceIdentity: sourceIdentity }),
    ...(tags.length > 0 && { Tags: tags }),
  };
}

function tagsOf({ config, auditHead }: StsPlan): { Key: string; Value: string }[] {
  return Object.entries(config.sessionTags).map(([Key, value]) => ({
    Key,
    Value: value === AUDIT_HEAD ? (auditHead ?? headMissing(Key)) : value,
  }));
}

function headMissing(key: string): never {
  throw new CapwrapError(
    'ERR_AUDIT_UNSAFE',
    `"${key}" of session_tags can't have the head of the audit log: the log doesn't tell its id`,
    { hint: 'capwrap audit verify' },
  );
}
