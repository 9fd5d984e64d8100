/**
 * The inline session policy: what this one session may do, and until when.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
 */
import { CapwrapError } from '../../../errors.ts';
import type { AwsScopeEntry } from '../../../policy/providers/aws-sts.ts';

/** Limit of STS on the plain text of an inline session policy, in characters. */
export const MAX_POLICY_CHARACTERS = 2048;

/** STS accepts tab, line feed, carriage return and U+0020 to U+00FF in a policy. */
const REFUSED_CHARACTER = /[^\t\n\r\u0020-\u00ff]/u;

/**
 * One Allow statement per scope entry, and a Deny of everything from the deadline on: STS issues for 900 s at least,
 * and this is how a shorter grant ends at the issuer too. The effective permissions are the role's, cut down to these.
 * Throws ERR_PROVIDER_POLICY_TOO_LARGE or ERR_MAP_INVALID before anything is sent.
 */
export function sessionPolicy(scope: readonly AwsScopeEntry[], deadline: Date): string {
  const statements = scope.map(allowStatement);
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: [...statements, denyFrom(deadline)] });
  assertCharacters(policy);
  assertSize(policy, statements);
  return policy;
}

function allowStatement(entry: AwsScopeEntry): Record<string, unknown> {
  return { Effect: 'Allow', Action: oneOrMany(entry.actions), Resource: oneOrMany(entry.resources) };
}

/** Cut to the second, never rounded up: the deny may begin early by less than a second, not late. */
function denyFrom(deadline: Date): Record<string, unknown> {
  const seconds = new Date(Math.floor(deadline.getTime() / 1000) * 1000).toISOString().replace('.000Z', 'Z');
  return {
    Effect: 'Deny',
    Action: '*',
    Resource: '*',
    Condition: { DateGreaterThanEquals: { 'aws:CurrentTime': seconds } },
  };
}

function assertCharacters(policy: string): void {
  const refused = REFUSED_CHARACTER.exec(policy)?.[0];
  if (refused === undefined) return;
  const codePoint = (refused.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  throw new CapwrapError(
    'ERR_MAP_INVALID',
    `"scope" holds the character U+${codePoint}, which STS refuses in a session policy`,
    {
      hint: 'write * in place of the character in scope',
    },
  );
}

function assertSize(policy: string, statements: readonly Record<string, unknown>[]): void {
  if (policy.length <= MAX_POLICY_CHARACTERS) return;
  const sizes = statements.map((statement) => JSON.stringify(statement).length);
  const longest = sizes.indexOf(Math.max(...sizes));
  throw new CapwrapError(
    'ERR_PROVIDER_POLICY_TOO_LARGE',
    `"scope" makes a session policy of ${policy.length} characters; STS takes ${MAX_POLICY_CHARACTERS}`,
    {
      hint: `shorten scope by ${policy.length - MAX_POLICY_CHARACTERS} characters: scope[${longest}] alone takes ${sizes[longest]}; one pattern can stand for several resources, or split the capability`,
    },
  );
}

function oneOrMany(values: readonly string[]): string | readonly string[] {
  return values.length === 1 ? (values[0] as string) : values;
}
