/** STS: AssumeRole, AssumeRoleWithWebIdentity, GetCallerIdentity. */
import { ACCOUNT, type SandboxRole } from './accounts.ts';
import { type AccessRequest, accessDeniedMessage, evaluate } from './authorize.ts';
import { matches } from './conditions.ts';
import { contextOf } from './context.ts';
import { readTags, type SessionTags } from './session-tags.ts';
import type { Credential, Principal, State } from './state.ts';
import { invalid, readDuration, readForm } from './sts-parameters.ts';
import { issueSession } from './sts-session.ts';
import { verifyWebIdentity } from './web-identity.ts';
import { type Call, Refusal, type Reply } from './wire.ts';
import { type XmlFields, xmlDocument } from './xml.ts';

export const STS_XMLNS = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** Answers a call; `caller` is null where it was not signed. Throws Refusal. */
export async function handleSts(
  call: Call,
  caller: Credential | null,
  region: string,
  state: State,
  requestId: string,
): Promise<Reply> {
  if (state.disabledRegions.includes(region)) {
    throw new Refusal(
      403,
      'RegionDisabledException',
      `STS is not activated in this region for account:${ACCOUNT}. Your account administrator can activate STS in this region using the IAM Console.`,
    );
  }
  const { action, parameters } = readForm(call);
  let result: XmlFields;
  if (action === 'AssumeRoleWithWebIdentity') {
    result = await assumeRoleWithWebIdentity(parameters, state);
  } else if (caller === null) {
    throw new Refusal(403, 'MissingAuthenticationToken', 'Request is missing Authentication Token');
  } else {
    result = action === 'AssumeRole' ? assumeRole(parameters, caller, state) : callerIdentity(caller);
  }
  const body = xmlDocument(`${action}Response`, STS_XMLNS, {
    [`${action}Result`]: result,
    ResponseMetadata: { RequestId: requestId },
  });
  return { status: 200, headers: { 'content-type': 'text/xml' }, body };
}

/** Needs no permission, and no policy can deny it. */
function callerIdentity({ principal }: Credential): XmlFields {
  return { Arn: principal.arn, UserId: principal.userId, Account: ACCOUNT };
}

function assumeRole(parameters: ReadonlyMap<string, string>, caller: Credential, state: State): XmlFields {
  const roleArn = parameters.get('RoleArn') ?? '';
  const sessionName = parameters.get('RoleSessionName') ?? '';
  const chained = caller.principal.kind === 'role-session';
  const asked = readTags(parameters);
  const sourceIdentity = parameters.get('SourceIdentity') ?? null;
  if (/^aws:/i.test(sourceIdentity ?? '')) throw invalid('SourceIdentity cannot begin with aws:');

  const role = state.roles.get(roleArn);
  const deny = (action: string) =>
    new Refusal(
      403,
      'AccessDenied',
      `User: ${caller.principal.arn} is not authorized to perform: ${action} on resource: ${roleArn}`,
    );
  const trusted =
    role !== undefined &&
    trusts(role, caller.principal) &&
    (role.trust.externalId === undefined || role.trust.externalId === parameters.get('ExternalId')) &&
    (role.trust.sessionName === undefined || matches(role.trust.sessionName, sessionName, {}));
  // A role that doesn't exist is refused in the same words as one that doesn't trust the caller.
  if (role === undefined || !trusted) throw deny('sts:AssumeRole');
  const withMfa = takeMfaCode(parameters, caller);
  if (role.trust.mfa && !withMfa) throw deny('sts:AssumeRole');
  checkCallersPolicy('sts:AssumeRole', role, caller, state);
  if (Object.keys(asked.tags).length > 0) {
    if (!role.trust.tagSession) throw deny('sts:TagSession');
    checkCallersPolicy('sts:TagSession', role, caller, state);
  }
  // A source identity persists along the chain, and each hop needs the permission.
  const inherited = caller.principal.sourceIdentity;
  if (inherited !== null || sourceIdentity !== null) {
    const other = inherited !== null && sourceIdentity !== null && inherited !== sourceIdentity;
    if (!role.trust.setSourceIdentity || other) throw deny('sts:SetSourceIdentity');
    checkCallersPolicy('sts:SetSourceIdentity', role, caller, state);
  }
  const duration = readDuration(parameters, role.maxSessionDuration, chained);
  return issueSession(
    parameters,
    role,
    duration,
    inheritTags(asked, caller.principal),
    inherited ?? sourceIdentity,
    state,
  );
}

/** False where no code was shown. Throws the Refusal for one that is not the device's, or was used before. */
function takeMfaCode(parameters: ReadonlyMap<string, string>, { principal }: Credential): boolean {
  const [serial, code] = [parameters.get('SerialNumber'), parameters.get('TokenCode')];
  if (serial === undefined && code === undefined) return false;
  const device = 'mfa' in principal.owner && principal.kind === 'user' ? principal.owner.mfa : undefined;
  const at = device?.serial === serial ? (device?.codes.indexOf(code ?? '') ?? -1) : -1;
  if (at < 0) {
    const message = 'MultiFactorAuthentication failed with invalid MFA one time pass code. ';
    throw new Refusal(403, 'AccessDenied', message);
  }
  device?.codes.splice(at, 1);
  return true;
}

/** A trust policy that names the caller is enough; the account's root leaves it to the caller's own policy. */
function trusts(role: SandboxRole, principal: Principal): boolean {
  const names = [principal.arn, principal.owner.arn, `arn:aws:iam::${ACCOUNT}:root`];
  return role.trust.principals.some((name) => names.includes(name));
}

/** An explicit deny always counts; an allow is needed where the trust policy doesn't name the caller. */
function checkCallersPolicy(action: string, role: SandboxRole, caller: Credential, state: State): void {
  const { principal } = caller;
  const request: AccessRequest = { action, resource: role.arn, context: contextOf(caller, state) };
  const verdict = evaluate(principal.owner.policy, principal.sessionPolicy, request);
  const named = [principal.arn, principal.owner.arn].some((name) => role.trust.principals.includes(name));
  // In a chain, tags and a source identity need the permission on both sides.
  const enough =
    named && principal.sessionPolicy === null && (principal.kind === 'user' || action === 'sts:AssumeRole');
  if (verdict.allowed || (enough && verdict.kind === 'implicit')) return;
  throw new Refusal(403, 'AccessDenied', accessDeniedMessage(principal.arn, request, verdict));
}

/** Transitive tags persist and can't be passed again; the others end with the session that had them. */
function inheritTags(asked: SessionTags, principal: Principal): SessionTags {
  const kept = principal.transitiveTagKeys;
  const again = Object.keys(asked.tags).find((key) =>
    kept.some((one) => one.toLowerCase() === key.toLowerCase()),
  );
  if (again !== undefined) throw invalid(`Tag key '${again}' is transitive and cannot be passed again.`);
  const inherited = Object.entries(principal.tags).filter(([key]) => kept.includes(key));
  return {
    tags: { ...asked.tags, ...Object.fromEntries(inherited) },
    transitive: [...asked.transitive, ...kept],
  };
}

async function assumeRoleWithWebIdentity(
  parameters: ReadonlyMap<string, string>,
  state: State,
): Promise<XmlFields> {
  const role = state.roles.get(parameters.get('RoleArn') ?? '');
  const token = parameters.get('WebIdentityToken') ?? '';
  const identity = await verifyWebIdentity(token, role, [...state.roles.values()], state.now());
  const duration = readDuration(parameters, identity.role.maxSessionDuration, false);
  return {
    ...issueSession(parameters, identity.role, duration, identity.tags, identity.sourceIdentity, state),
    SubjectFromWebIdentityToken: identity.subject,
    Provider: identity.issuer,
    Audience: identity.audience,
  };
}
