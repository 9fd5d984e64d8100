/**
 * Provider `gcp`: an access token of Google Cloud for the proof of an OIDC issuer. Up to three steps, each with a token
 * that can do less: of the pool's identity, of a service account for the granted time, and within a boundary.
 */
import { CapwrapError } from '../../../errors.ts';
import { type GcpConfig, gcpDefaultInject } from '../../../policy/providers/gcp.ts';
import { scopeWords } from '../../../policy/providers/index.ts';
import { sourceLabel } from '../../../policy/sources/index.ts';
import { readCaFile } from '../../ca-file.ts';
import type { BrokerContext, IssueRequest, Lease, Provider } from '../../provider.ts';
import type { TokenProof } from '../../sources/proof.ts';
import { readSource } from '../../sources/read-source.ts';
import { judgeClock } from './clock.ts';
import { exchangeForBoundary, exchangeProof } from './exchange.ts';
import { impersonate } from './impersonate.ts';
import { serveMetadata } from './metadata-server.ts';
import { FEDERATED_LIFE, type GcpPlan, lifetimeOf, planGcp } from './plan.ts';
import { afterIssuing, type GcpToken } from './token-answer.ts';

/**
 * No call takes such a token back: its end is its expiry. The shortest life is that of a federated token, for which no
 * parameter asks; a service account's token must not outlive what was asked for it (token-answer.ts).
 */
export const gcp: Provider = { issue, preview, minimumLife: FEDERATED_LIFE };

async function issue(request: IssueRequest, context: BrokerContext): Promise<Lease> {
  const plan = planGcp(request);
  const ca = readCaFile(plan.config.caFile);
  const proof = await readProof(plan, context);
  const federated = await exchangeProof(plan, proof, ca, context);
  const warnings = judgeClock(federated.skew, federated.expiresAt);
  const token = await afterIssuing(federated.expiresAt, () =>
    narrow({ plan, request, federated, proof, ca }, context),
  );
  return leaseOf(request.leaseId, plan, token, [...warnings, ...endpointWarnings(plan.config)]);
}

/** A source of these types holds a token, by the schema. */
async function readProof({ source }: GcpPlan, context: BrokerContext): Promise<TokenProof> {
  const proof = await readSource(source, context);
  if (proof.kind === 'token') return proof;
  throw new CapwrapError('ERR_INTERNAL', `source "${proof.label}" holds no token`);
}

interface Steps {
  readonly plan: GcpPlan;
  readonly request: IssueRequest;
  readonly federated: GcpToken;
  readonly proof: TokenProof;
  readonly ca: string | null;
}

/** From the federated token to the lease's. What lies between stays in this process. */
async function narrow(
  { plan, request, federated, proof, ca }: Steps,
  context: BrokerContext,
): Promise<GcpToken> {
  const { impersonation: to, boundary } = plan;
  if (to === null) return federated;
  const lifetime = lifetimeOf(request, context.now());
  const wide = await impersonate({ plan, to, federated, proof, lifetime, ca }, context);
  if (boundary === null) return wide;
  return afterIssuing(wide.expiresAt, () => exchangeForBoundary(plan, wide, boundary, ca, context));
}

function leaseOf(
  leaseId: string,
  plan: GcpPlan,
  { token, expiresAt, skew }: GcpToken,
  warnings: readonly string[],
): Lease {
  const { config } = plan;
  const { serviceAccount: account, project, quotaProject, scope } = config;
  const open = (value: string) => ({ value, secret: false });
  const inject = {
    delivery: config.delivery,
    project: project !== null,
    quotaProject: quotaProject !== null,
  };
  return {
    leaseId,
    provider: 'gcp',
    values: {
      token: { value: token, secret: true },
      expires_at: open(expiresAt.toISOString().replace(/\.\d+Z$/, 'Z')),
      ...(project !== null && { project: open(project) }),
      ...(quotaProject !== null && { quota_project: open(quotaProject) }),
      ...(account !== null && { service_account: open(account) }),
    },
    defaultInject: gcpDefaultInject(inject),
    expiresAt,
    // No answer names one: this is who was asked for. The identity within the pool is the pool's mapping to know.
    principal: account ?? config.audience,
    scope: scopeWords(config),
    handle: null,
    facts: {
      source: sourceLabel(plan.source),
      ...(skew !== null && { clock_skew_seconds: skew }),
    },
    warnings,
    ...(config.delivery !== 'environment' && {
      endpoints: (context) =>
        serveMetadata({ token, expiresAt, skew: skew ?? 0, account, scope, project }, context),
    }),
  };
}

function endpointWarnings({ delivery }: GcpConfig): readonly string[] {
  if (delivery === 'environment' || process.platform === 'linux') return [];
  return [
    'this system does not tell whose process asks the metadata endpoint: other users of this machine can',
  ];
}

function preview(request: IssueRequest): Readonly<Record<string, unknown>> {
  const plan = planGcp(request);
  const { config, impersonation, boundary } = plan;
  return {
    token_url: plan.tokenUrl.href,
    audience: config.audience,
    source: sourceLabel(plan.source),
    federated_scope: plan.federatedScope,
    ...(impersonation !== null && {
      impersonation_url: impersonation.url.href,
      ...(impersonation.delegates.length > 0 && { delegates: impersonation.delegates }),
      scope: config.scope,
      lifetime: `${request.ttl}s`,
    }),
    ...(boundary !== null && JSON.parse(boundary)),
    delivery: config.delivery,
  };
}
