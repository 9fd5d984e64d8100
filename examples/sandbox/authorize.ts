/** Policy evaluation, as one pure function. It is the sandbox's answer to "may this session do that, now?". */
import { conditionHolds, many, matches, type RequestContext } from './conditions.ts';
import type { PolicyDocument, Statement } from './policy-document.ts';

export interface AccessRequest {
  /** Such as `s3:PutObject`. */
  readonly action: string;
  readonly resource: string;
  readonly context: RequestContext;
}

export type Verdict =
  | { readonly allowed: true }
  | {
      readonly allowed: false;
      readonly kind: 'explicit' | 'implicit';
      readonly policy: 'identity-based' | 'session';
    };

/**
 * An explicit deny in either policy wins; otherwise both must allow. `session` null means that the caller has no
 * session policy, which limits nothing.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function evaluate(
  identity: PolicyDocument,
  session: PolicyDocument | null,
  request: AccessRequest,
): Verdict {
  const byIdentity = effectOf(identity, request);
  const bySession = session === null ? 'Allow' : effectOf(session, request);
  if (byIdentity === 'Deny') return { allowed: false, kind: 'explicit', policy: 'identity-based' };
  if (bySession === 'Deny') return { allowed: false, kind: 'explicit', policy: 'session' };
  if (byIdentity === null) return { allowed: false, kind: 'implicit', policy: 'identity-based' };
  if (bySession === null) return { allowed: false, kind: 'implicit', policy: 'session' };
  return { allowed: true };
}

/** The sentence that AWS explains a refusal with. S3 puts the resource in quotes, the others do not. */
export function accessDeniedMessage(
  caller: string,
  request: AccessRequest,
  verdict: Exclude<Verdict, { allowed: true }>,
): string {
  const resource = request.action.startsWith('s3:') ? `"${request.resource}"` : request.resource;
  const article = verdict.policy === 'session' ? 'a' : 'an';
  const reason =
    verdict.kind === 'explicit'
      ? `with an explicit deny in ${article} ${verdict.policy} policy`
      : `because no ${verdict.policy} policy allows the ${request.action} action`;
  return `User: ${caller} is not authorized to perform: ${request.action} on resource: ${resource} ${reason}`;
}

function effectOf(policy: PolicyDocument, request: AccessRequest): 'Allow' | 'Deny' | null {
  const effects = policy.Statement.filter((statement) => applies(statement, request)).map(
    (statement) => statement.Effect,
  );
  return effects.includes('Deny') ? 'Deny' : effects.includes('Allow') ? 'Allow' : null;
}

function applies(statement: Statement, request: AccessRequest): boolean {
  const { context } = request;
  // Action names are compared without regard to case, resources with it.
  const names = (patterns: readonly string[]) =>
    patterns.some((pattern) => matches(pattern, request.action, {}, 'is'));
  const covers = (patterns: readonly string[]) =>
    patterns.some((pattern) => matches(pattern, request.resource, context));
  return (
    (statement.Action === undefined ? !names(many(statement.NotAction)) : names(many(statement.Action))) &&
    (statement.Resource === undefined
      ? !covers(many(statement.NotResource))
      : covers(many(statement.Resource))) &&
    (statement.Condition === undefined || conditionHolds(statement.Condition, context))
  );
}
