/** What will be asked of STS, worked out before anything is read or sent. */
import { CapwrapError } from '../../../errors.ts';
import type { AwsStsConfig } from '../../../policy/providers/aws-sts.ts';
import { holdsRoleSession, holdsToken, sourceLabel } from '../../../policy/sources/index.ts';
import { isSecure } from '../../endpoint.ts';
import type { IssueRequest } from '../../provider.ts';
import { parseRoleArn, type RoleName, regionalEndpoint } from './arn.ts';
import { chainError, MAX_CHAINED_SECONDS } from './chain.ts';
import { sessionPolicy } from './session-policy.ts';

/** Shortest and longest session that STS issues, in seconds. */
export const MIN_SESSION_SECONDS = 900;
const MAX_SESSION_SECONDS = 43_200;

export interface StsPlan {
  readonly capability: string;
  readonly config: AwsStsConfig;
  readonly action: 'AssumeRole' | 'AssumeRoleWithWebIdentity';
  readonly role: RoleName;
  readonly endpoint: URL;
  readonly sessionName: string;
  /** Seconds granted; the session policy ends the session after them. */
  readonly ttl: number;
  /** Seconds asked of STS, never under its own minimum. */
  readonly durationSeconds: number;
  readonly sessionPolicy: string;
  /** The head of the audit log, for a tag that shows it; null where none does. */
  readonly auditHead: string | null;
}

/** Throws a CapwrapError for a request that STS is known to refuse. */
export function planExchange(request: IssueRequest): StsPlan {
  const { config, name } = request.capability;
  if (config.provider !== 'aws-sts') {
    throw new CapwrapError('ERR_INTERNAL', `capability "${name}" is not for provider aws-sts`);
  }
  const role = parseRoleArn(config.roleArn);
  const action = holdsToken(config.source) ? 'AssumeRoleWithWebIdentity' : 'AssumeRole';
  if (action === 'AssumeRoleWithWebIdentity') assertWebIdentity(config);
  if (request.ttl > MAX_SESSION_SECONDS) {
    throw new CapwrapError(
      'ERR_PROVIDER_REFUSED',
      `capability "${name}" asks for ${request.ttl} s; STS issues sessions of 12h at most`,
      {
        hint: 'ttl: 12h, or less',
      },
    );
  }
  if (request.ttl > MAX_CHAINED_SECONDS && holdsRoleSession(config.source)) {
    throw chainError(sourceLabel(config.source), 'is a role already', request.ttl);
  }
  return {
    capability: name,
    config,
    action,
    role,
    endpoint: endpointOf(config, role),
    sessionName: `agent-${request.leaseId}`,
    ttl: request.ttl,
    durationSeconds: Math.max(MIN_SESSION_SECONDS, request.ttl),
    sessionPolicy: sessionPolicy(config.scope, request.deadline),
    auditHead: request.auditHead ?? null,
  };
}

/** The regional endpoint unless the map names one: its sessions work in every region, the global one's don't. */
function endpointOf(config: AwsStsConfig, role: RoleName): URL {
  const text = config.endpoint ?? regionalEndpoint(config.region, role.partition);
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && isSecure(url)) return url;
  throw new CapwrapError(
    'ERR_MAP_INVALID',
    `endpoint "${text}" is not https: the credential would travel in clear`,
    {
      hint: `endpoint: ${regionalEndpoint(config.region, role.partition)}`,
    },
  );
}

/** AssumeRoleWithWebIdentity has no parameters for these; sending the call without them would drop them silently. */
function assertWebIdentity(config: AwsStsConfig): void {
  const refused = [
    ['mfa_serial', config.mfaSerial !== null],
    ['session_tags', Object.keys(config.sessionTags).length > 0],
    ['source_identity', config.sourceIdentity !== null],
    ['external_id', config.externalId !== null],
  ] as const;
  const found = refused.find(([, set]) => set);
  if (!found) return;
  throw new CapwrapError(
    'ERR_MAP_INVALID',
    `"${found[0]}" can't be sent with source "${config.source.type}": AssumeRoleWithWebIdentity has no such parameter`,
    {
      hint:
        found[0] === 'external_id'
          ? 'remove external_id; the trust policy of the role names the subject of the token instead'
          : found[0] === 'mfa_serial'
            ? 'remove mfa_serial; the issuer of the token asks for a second factor, if any'
            : `remove ${found[0]}; the issuer of the token can put it into the token as a claim`,
    },
  );
}
