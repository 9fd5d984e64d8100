/** One call of AssumeRole or AssumeRoleWithWebIdentity through the official SDK. */
import { VERSION } from '../../../base/version.ts';
import { CapwrapError } from '../../../errors.ts';
import { readCaFile } from '../../ca-file.ts';
import type { BrokerContext } from '../../provider.ts';
import type { Proof, TokenProof } from '../../sources/proof.ts';
import type { StsOutput } from './answer.ts';
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
  context: BrokerContext,
): Promise<StsReply> {
  const seen: Seen = { sentAt: null, receivedAt: null, answer: null, fault: null };
  const ca = readCaFile(plan.config.caFile);
  const requestHandler = createTransport({ ca, signal: context.signal, now: context.now, seen });
  const client = new sdk.STSClient({
    region: plan.config.region,
    endpoint: plan.endpoint.href,
    requestHandler,
    // A retry could leave a second session that nobody sees.
    maxAttempts: 1,
    retryMode: 'standard',
    defaultsMode: 'standard',
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    authSchemePreference: [],
    sigv4aSigningRegionSet: [],
    userAgentAppId: async () => undefined,
    disableClockSkewCorrection: true,
    defaultUserAgentProvider: async () => [['capwrap', VERSION]],
    ...(proof.kind === 'keys' && {
      credentials: {
        accessKeyId: proof.accessKeyId,
        secretAccessKey: proof.secretAccessKey,
        ...(proof.sessionToken !== null && { sessionToken: proof.sessionToken }),
      },
    }),
  });
  try {
    const output = await (proof.kind === 'token'
      ? client.send(new sdk.AssumeRoleWithWebIdentityCommand(tokenInput(plan, proof)))
      : client.send(new sdk.AssumeRoleCommand(keyInput(plan))));
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

function keyInput(plan: StsPlan) {
  const { externalId, sourceIdentity, sessionTags } = plan.config;
  const tags = Object.entries(sessionTags).map(([Key, Value]) => ({ Key, Value }));
  return {
    ...commonInput(plan),
    ...(externalId !== null && { ExternalId: externalId }),
    ...(sourceIdentity !== null && { SourceIdentity: sourceIdentity }),
    ...(tags.length > 0 && { Tags: tags }),
  };
}
