/** Provider `aws-sts`: a role session, cut down to the capability's scope and to the granted time. */
import { CapwrapError } from '../../../errors.ts';
import { AWS_DEFAULT_INJECT, AWS_ENDPOINT_INJECT } from '../../../policy/providers/aws-sts.ts';
import { scopeWords } from '../../../policy/providers/index.ts';
import { sourceLabel } from '../../../policy/sources/index.ts';
import { measureSkew } from '../../measure-skew.ts';
import type { BrokerContext, EndpointContext, IssueRequest, Lease, Provider } from '../../provider.ts';
import type { KeyProof, Proof } from '../../sources/proof.ts';
import { readSource } from '../../sources/read-source.ts';
import { checkAnswer, type StsSession } from './answer.ts';
import { chainError, isRoleSession, MAX_CHAINED_SECONDS } from './chain.ts';
import { judgeClock } from './clock.ts';
import { askMfaCode } from './mfa.ts';
import { MIN_SESSION_SECONDS, planExchange, type StsPlan } from './plan.ts';
import { askWhoCalls, type StsSdk, sendExchange } from './send.ts';

/** STS has no call that ends a session: its end is its expiry. */
export const awsSts: Provider = { issue, preview, minimumLife: MIN_SESSION_SECONDS };

async function issue(request: IssueRequest, context: BrokerContext): Promise<Lease> {
  const plan = planExchange(request);
  const sdk = import('./sdk.ts'); // loads while the source is read
  sdk.catch(() => {}); // a fault of the source may come first
  const proof = await readSource(plan.config.source, context);
  if ((proof.kind === 'token') !== (plan.action === 'AssumeRoleWithWebIdentity')) {
    throw new CapwrapError('ERR_INTERNAL', `source "${proof.label}" does not fit ${plan.action}`);
  }
  if (proof.kind === 'keys') await assertNoLongChain(await sdk, plan, proof, context);
  const { mfaSerial } = plan.config;
  const mfaCode = mfaSerial === null ? null : await askMfaCode(mfaSerial, proof.label, context);
  const reply = await sendExchange(await sdk, plan, proof, mfaCode, context);

  // The masker knows the secrets before anything can fail on them.
  const { SecretAccessKey, SessionToken } = reply.output.Credentials ?? {};
  if (SecretAccessKey) context.registerSecret('secret_access_key', SecretAccessKey);
  if (SessionToken) context.registerSecret('session_token', SessionToken);

  const skew = measureSkew(reply.date, reply.sentAt, reply.receivedAt);
  const issuerNow = new Date(reply.receivedAt.getTime() - (skew ?? 0) * 1000);
  const session = checkAnswer(reply.output, plan, issuerNow);
  const warnings = [...judgeClock(skew, plan.ttl, session.expiresAt), ...packedWarning(session)];
  return toLease(request.leaseId, plan, proof, session, skew, warnings);
}

/** Only a session can be a role's, and only STS can tell; it is asked where the answer makes a difference. */
async function assertNoLongChain(
  sdk: StsSdk,
  plan: StsPlan,
  proof: KeyProof,
  context: BrokerContext,
): Promise<void> {
  if (plan.ttl <= MAX_CHAINED_SECONDS || proof.sessionToken === null) return;
  const caller = await askWhoCalls(sdk, plan, proof, context);
  if (caller === null || !isRoleSession(caller)) return;
  throw chainError(proof.label, `is the role session ${caller}`, plan.ttl);
}

function toLease(
  leaseId: string,
  plan: StsPlan,
  proof: Proof,
  session: StsSession,
  skew: number | null,
  warnings: readonly string[],
): Lease {
  const open = (value: string) => ({ value, secret: false });
  const secret = (value: string) => ({ value, secret: true });
  const endpoint = plan.config.delivery === 'credentials-endpoint';
  const expiration = session.expiresAt.toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    leaseId,
    provider: 'aws-sts',
    values: {
      access_key_id: open(session.accessKeyId),
      secret_access_key: secret(session.secretAccessKey),
      session_token: secret(session.sessionToken),
      expiration: open(expiration),
      region: open(plan.config.region),
    },
    defaultInject: endpoint ? AWS_ENDPOINT_INJECT : AWS_DEFAULT_INJECT,
    expiresAt: session.expiresAt,
    principal: session.principal,
    scope: scopeWords(plan.config),
    handle: null,
    facts: {
      session_name: plan.sessionName,
      access_key_id: session.accessKeyId,
      source: proof.label,
      long_lived_source: proof.kind === 'keys' && proof.longLived,
      ...(session.packedPolicyPercent !== null && { packed_policy_percent: session.packedPolicyPercent }),
      ...(skew !== null && { clock_skew_seconds: skew }),
    },
    warnings,
    ...(endpoint && {
      async endpoints(context: EndpointContext) {
        const { serveContainerCredentials } = await import('./container-endpoint.ts');
        return serveContainerCredentials({ ...session, expiration, roleArn: plan.config.roleArn }, context);
      },
    }),
  };
}

function preview(request: IssueRequest): Readonly<Record<string, unknown>> {
  const plan = planExchange(request);
  const { config } = plan;
  return {
    action: plan.action,
    endpoint: plan.endpoint.href,
    region: config.region,
    role_arn: config.roleArn,
    session_name: plan.sessionName,
    duration_seconds: plan.durationSeconds,
    source: sourceLabel(config.source),
    ...(config.externalId !== null && { external_id: config.externalId }),
    ...(config.mfaSerial !== null && { mfa_serial: config.mfaSerial }),
    ...(config.sourceIdentity !== null && { source_identity: config.sourceIdentity }),
    ...(Object.keys(config.sessionTags).length > 0 && { session_tags: config.sessionTags }),
    ...(config.delivery !== 'environment' && { delivery: config.delivery }),
    session_policy: JSON.parse(plan.sessionPolicy),
    session_policy_characters: plan.sessionPolicy.length,
  };
}

function packedWarning({ packedPolicyPercent: percent }: StsSession): readonly string[] {
  if (percent === null || percent < 90) return [];
  return [
    `session policy and tags use ${percent} percent of what STS can pack; a longer scope may be refused`,
  ];
}
