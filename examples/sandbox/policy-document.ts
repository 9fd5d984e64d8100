/** IAM policy documents: their shape, and the checks that AWS makes before it accepts one. */
import { CONDITION_OPERATOR, type ConditionBlock, type OneOrMany, parsePolicyDate } from './conditions.ts';

/** One statement as JSON has it. */
export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: OneOrMany;
  readonly NotAction?: OneOrMany;
  readonly Resource?: OneOrMany;
  readonly NotResource?: OneOrMany;
  readonly Condition?: ConditionBlock;
}

export interface PolicyDocument {
  readonly Version: '2012-10-17' | '2008-10-17';
  readonly Statement: readonly Statement[];
}

/**
 * Reads a session policy. Returns the document, or the sentence that AWS answers `MalformedPolicyDocument` with.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export function parsePolicy(text: string): PolicyDocument | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return 'This policy contains invalid Json';
  }
  if (!isObject(parsed) || hasOther(parsed, ['Version', 'Id', 'Statement'])) {
    return 'Syntax errors in policy.';
  }
  const version = parsed['Version'] ?? '2008-10-17';
  if (version !== '2012-10-17' && version !== '2008-10-17') return 'The policy version is not valid.';
  const statements = Array.isArray(parsed['Statement']) ? parsed['Statement'] : [parsed['Statement']];
  for (const statement of statements) {
    const fault = statementFault(statement);
    if (fault !== null) return fault;
  }
  const sids = statements.flatMap((statement: Statement) => statement.Sid ?? []);
  if (new Set(sids).size < sids.length) return 'Statement IDs (SID) in a single policy must be unique.';
  return { Version: version, Statement: statements };
}

const STATEMENT_KEYS = ['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition'];

function statementFault(statement: unknown): string | null {
  if (!isObject(statement)) return 'Syntax errors in policy.';
  if ('Principal' in statement || 'NotPrincipal' in statement) {
    return 'Policy document should not specify a principal.';
  }
  if (hasOther(statement, STATEMENT_KEYS)) return 'Syntax errors in policy.';
  const { Sid, Effect, Action, NotAction, Resource, NotResource, Condition } = statement;
  if (Sid !== undefined && !(typeof Sid === 'string' && /^[0-9A-Za-z]*$/.test(Sid))) {
    return 'Statement IDs (SID) must be alpha-numeric.';
  }
  if (Effect !== 'Allow' && Effect !== 'Deny') return 'Syntax errors in policy.';
  const actions = exactlyOne(Action, NotAction);
  if (actions === null) return 'Policy statement must contain actions.';
  if (!actions.every((action) => action === '*' || /^[\w-]+:[\w*?]+$/.test(action))) {
    return 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.';
  }
  const resources = exactlyOne(Resource, NotResource);
  if (resources === null) return 'Policy statement must contain resources.';
  const bad = resources.find(
    (resource) => resource !== '*' && !/^arn:[^:]*:[^:]*:[^:]*:[^:]*:./.test(resource),
  );
  if (bad !== undefined) return `Resource ${bad} must be in ARN format or "*".`;
  return Condition === undefined ? null : conditionFault(Condition);
}

function conditionFault(condition: unknown): string | null {
  if (!isObject(condition)) return 'Syntax errors in policy.';
  for (const [operator, block] of Object.entries(condition)) {
    if (!CONDITION_OPERATOR.test(operator)) return `Invalid Condition type : ${operator}.`;
    if (!isObject(block)) return 'Syntax errors in policy.';
    for (const [key, values] of Object.entries(block)) {
      if (!/^[\w-]+:.+$/.test(key)) return `Condition key ${key} must be prefaced by a vendor.`;
      if (strings(values) === null) return 'Syntax errors in policy.';
      const isDate = operator.startsWith('Date');
      if (isDate && !strings(values)?.every((value) => !Number.isNaN(parsePolicyDate(value)))) {
        return 'The policy contains an invalid date value.';
      }
    }
  }
  return null;
}

function exactlyOne(first: unknown, second: unknown): readonly string[] | null {
  if ((first === undefined) === (second === undefined)) return null;
  return strings(first ?? second);
}

/** A non-empty string or list of strings as a list, else null. */
function strings(value: unknown): readonly string[] | null {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.length > 0 && list.every((one) => typeof one === 'string') ? list : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasOther(value: Record<string, unknown>, known: readonly string[]): boolean {
  return Object.keys(value).some((key) => !known.includes(key));
}
