/** The condition operators of IAM policies, as one pure function. */

export type OneOrMany = string | readonly string[];
/** Operator → condition key → values. */
export type ConditionBlock = Readonly<Record<string, Readonly<Record<string, OneOrMany>>>>;

/** What is known of a request, by condition key in lower case. */
export type RequestContext = Readonly<Record<string, string | undefined>>;

/** The operators that the sandbox evaluates; a policy with another one is refused, never half understood. */
export const CONDITION_OPERATOR =
  /^(?:(?:(?:String(?:Not)?(?:Equals|EqualsIgnoreCase|Like)|Arn(?:Not)?(?:Equals|Like)|(?:Date|Numeric)(?:Equals|NotEquals|LessThan|LessThanEquals|GreaterThan|GreaterThanEquals)|Bool)(?:IfExists)?)|Null)$/;

/**
 * True when every operator and key of a condition block holds.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
export function conditionHolds(condition: ConditionBlock, context: RequestContext): boolean {
  return Object.entries(condition).every(([operator, block]) =>
    Object.entries(block).every(([key, wanted]) => holds(operator, key, many(wanted), context)),
  );
}

/** A string or list as a list. */
export function many(value: OneOrMany | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

function holds(operator: string, key: string, wanted: readonly string[], context: RequestContext): boolean {
  const actual = context[key.toLowerCase()];
  if (operator === 'Null') return wanted.some((value) => (value === 'true') === (actual === undefined));
  const base = operator.replace(/IfExists$/, '');
  const negated = base.includes('Not');
  // A key that is absent makes a negated operator true and any other one false.
  if (actual === undefined) return negated || operator.endsWith('IfExists');
  const positive = base.replace('Not', '');
  const matched = wanted.some((value) => compare(positive, actual, value, context));
  return negated ? !matched : matched;
}

function compare(operator: string, actual: string, wanted: string, context: RequestContext): boolean {
  if (operator === 'StringLike' || operator.startsWith('Arn')) return matches(wanted, actual, context);
  if (operator === 'Bool') return actual.toLowerCase() === wanted.toLowerCase();
  if (operator === 'StringEqualsIgnoreCase') return matches(literally(wanted), actual, context, 'is');
  if (operator === 'StringEquals') return matches(literally(wanted), actual, context);
  const isDate = operator.startsWith('Date');
  const read = isDate ? parsePolicyDate : Number;
  const [left, right] = [read(actual), read(wanted)];
  switch (operator.replace(/^(Date|Numeric)/, '')) {
    case 'Equals':
      return left === right;
    case 'LessThan':
      return left < right;
    case 'LessThanEquals':
      return left <= right;
    case 'GreaterThan':
      return left > right;
    default:
      return left >= right;
  }
}

/** A date of a policy in milliseconds: ISO 8601 or seconds since 1970. NaN for anything else. */
export function parsePolicyDate(text: string): number {
  if (/^\d{9,11}$/.test(text)) return Number(text) * 1000;
  const iso = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/;
  return iso.test(text) ? Date.parse(text) : Number.NaN;
}

/** IAM's wildcards: `*` any run of characters, `?` one character, `${key}` a value of the request, taken literally. */
export function matches(pattern: string, value: string, context: RequestContext, flags = 's'): boolean {
  let known = true;
  const source = pattern.replace(/\$\{([^}]*)\}|[\s\S]/g, (token, variable?: string) => {
    if (variable !== undefined) {
      const text = ['*', '?', '$'].includes(variable) ? variable : context[variable.toLowerCase()];
      known &&= text !== undefined;
      return escapeRegExp(text ?? '');
    }
    return token === '*' ? '.*' : token === '?' ? '.' : escapeRegExp(token);
  });
  return known && new RegExp(`^${source}$`, flags).test(value);
}

/** The pattern that matches a text itself: its wildcards are escaped, its policy variables kept. */
function literally(text: string): string {
  return text.replace(/\$\{[^}]*\}|[*?]/g, (token) => (token.length > 1 ? token : `$\{${token}}`));
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
