import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accessDeniedMessage, evaluate } from '../../examples/sandbox/authorize.ts';
import { conditionHolds, matches } from '../../examples/sandbox/conditions.ts';
import { type PolicyDocument, parsePolicy, type Statement } from '../../examples/sandbox/policy-document.ts';
import { anyCharacter } from '../helpers/any-character.ts';

const ALLOW = { Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::b/*' } as const;
const DENY = { ...ALLOW, Effect: 'Deny' } as const;
const ANYTHING = { Effect: 'Allow', Action: '*', Resource: '*' } as const;
const OTHER = { ...ALLOW, Action: 's3:GetObject' } as const;

function policy(...statements: Statement[]): PolicyDocument {
  return { Version: '2012-10-17', Statement: statements };
}

const request = { action: 's3:PutObject', resource: 'arn:aws:s3:::b/k', context: {} };

describe('a call is allowed where identity and session policy both allow it, and neither denies', () => {
  const explicit = (by: 'identity-based' | 'session') => ({ allowed: false, kind: 'explicit', policy: by });
  const implicit = (by: 'identity-based' | 'session') => ({ allowed: false, kind: 'implicit', policy: by });
  test.each<[string, Statement[], Statement[] | null, object]>([
    ['identity alone', [ALLOW], null, { allowed: true }],
    ['both', [ALLOW], [ALLOW], { allowed: true }],
    ['a wide identity, narrowed', [ANYTHING], [ALLOW], { allowed: true }],
    ['nothing', [], null, implicit('identity-based')],
    ['identity without it', [OTHER], [ALLOW], implicit('identity-based')],
    ['session without it', [ANYTHING], [OTHER], implicit('session')],
    ['an empty session', [ANYTHING], [], implicit('session')],
    ['a session policy never adds', [], [ANYTHING], implicit('identity-based')],
    ['identity denies', [ALLOW, DENY], null, explicit('identity-based')],
    ['the order does not matter', [DENY, ALLOW], null, explicit('identity-based')],
    ['session denies', [ANYTHING], [ANYTHING, DENY], explicit('session')],
    ['identity denies, session allows', [ANYTHING, DENY], [ALLOW], explicit('identity-based')],
    ['a deny beats a missing allow', [], [DENY], explicit('session')],
  ])('%s', (_, identity, session, verdict) => {
    expect(evaluate(policy(...identity), session && policy(...session), request)).toEqual(verdict);
  });
});

describe('a statement applies where action, resource and condition do', () => {
  test.each<[string, Partial<Statement>, boolean]>([
    ['the very action', {}, true],
    ['an action in another case', { Action: 'S3:putobject' }, true],
    ['one of several actions', { Action: ['s3:GetObject', 's3:PutObject'] }, true],
    ['a wildcard in the action', { Action: 's3:Put*' }, true],
    ['a question mark in the action', { Action: 's3:PutObjec?' }, true],
    ['a wildcard of another service', { Action: 'cloudfront:*' }, false],
    ['an action that only starts alike', { Action: 's3:PutObjectAcl' }, false],
    ['NotAction of another', { Action: undefined as never, NotAction: 's3:GetObject' }, true],
    ['NotAction of this one', { Action: undefined as never, NotAction: 's3:*' }, false],
    ['the very resource', { Resource: 'arn:aws:s3:::b/k' }, true],
    ['a resource in another case', { Resource: 'arn:aws:s3:::b/K' }, false],
    ['the bucket itself', { Resource: 'arn:aws:s3:::b' }, false],
    ['another bucket', { Resource: 'arn:aws:s3:::bb/*' }, false],
    ['a dot is a dot', { Resource: 'arn:aws:s3:::b.k' }, false],
    ['any resource', { Resource: '*' }, true],
    ['NotResource of another', { Resource: undefined as never, NotResource: 'arn:aws:s3:::c/*' }, true],
    ['NotResource of this one', { Resource: undefined as never, NotResource: 'arn:aws:s3:::b/*' }, false],
    ['a condition that holds', { Condition: { Null: { 'aws:userid': 'true' } } }, true],
    ['a condition that does not', { Condition: { Null: { 'aws:userid': 'false' } } }, false],
  ])('%s: %o %s', (_, change, applies) => {
    const statement = JSON.parse(JSON.stringify({ ...ALLOW, ...change })) as Statement;
    expect(evaluate(policy(statement), null, request).allowed).toBe(applies);
  });
});

/** A policy variable, spelled so that it is not mistaken for a template. */
const variable = (name: string) => `$\{${name}}`;

const CONTEXT = {
  'aws:currenttime': '2026-11-23T12:00:00.000Z',
  'aws:epochtime': '1795435200',
  'aws:userid': 'AROAEXAMPLE:agent-1',
  'aws:principalarn': 'arn:aws:iam::123456789012:role/preview-deployer',
  'aws:securetransport': 'false',
};

describe('conditions', () => {
  test.each<[operator: string, key: string, value: string | string[], holds: boolean]>([
    ['DateLessThan', 'aws:CurrentTime', '2026-11-23T12:00:01Z', true],
    ['DateLessThan', 'aws:CurrentTime', '2026-11-23T12:00:00Z', false],
    ['DateLessThanEquals', 'aws:CurrentTime', '2026-11-23T12:00:00Z', true],
    ['DateGreaterThan', 'aws:CurrentTime', '2026-11-23T11:59:59Z', true],
    ['DateGreaterThan', 'aws:CurrentTime', '2026-11-23T12:00:00Z', false],
    ['DateGreaterThanEquals', 'aws:CurrentTime', '2026-11-23T12:00:00Z', true],
    ['DateGreaterThanEquals', 'aws:CurrentTime', '2026-11-23T13:00:00+01:00', true],
    ['DateEquals', 'aws:CurrentTime', '2026-11-23T12:00:00Z', true],
    ['DateNotEquals', 'aws:CurrentTime', '2026-11-23T12:00:00Z', false],
    ['DateLessThan', 'aws:CurrentTime', '1795435201', true],
    ['NumericLessThan', 'aws:EpochTime', '1795435201', true],
    ['NumericGreaterThanEquals', 'aws:EpochTime', '1795435201', false],
    ['StringEquals', 'aws:userid', 'AROAEXAMPLE:agent-1', true],
    ['StringEquals', 'AWS:UserId', ['x', 'AROAEXAMPLE:agent-1'], true],
    ['StringEquals', 'aws:userid', 'AROAEXAMPLE:*', false],
    ['StringEqualsIgnoreCase', 'aws:userid', 'aroaexample:AGENT-1', true],
    ['StringNotEquals', 'aws:userid', 'AROAEXAMPLE:agent-1', false],
    ['StringNotEquals', 'aws:userid', ['x', 'y'], true],
    ['StringLike', 'aws:userid', 'AROAEXAMPLE:agent-?', true],
    ['StringNotLike', 'aws:userid', '*:agent-1', false],
    ['ArnLike', 'aws:PrincipalArn', 'arn:aws:iam::*:role/preview-*', true],
    ['ArnNotEquals', 'aws:PrincipalArn', 'arn:aws:iam::*:role/other', true],
    ['Bool', 'aws:SecureTransport', 'false', true],
    ['Bool', 'aws:SecureTransport', 'true', false],
    ['Null', 'aws:SourceIdentity', 'true', true],
    ['Null', 'aws:userid', 'true', false],
    ['StringEquals', 'aws:SourceIdentity', 'x', false],
    ['StringNotEquals', 'aws:SourceIdentity', 'x', true],
    ['StringEqualsIfExists', 'aws:SourceIdentity', 'x', true],
    ['StringEqualsIfExists', 'aws:userid', 'x', false],
    ['DateLessThan', 'aws:TokenIssueTime', '2030-01-01T00:00:00Z', false],
  ])('%s %s %j: %s', (operator, key, value, holds) => {
    expect(conditionHolds({ [operator]: { [key]: value } }, CONTEXT)).toBe(holds);
  });

  test('a variable counts in a comparison for equality too', () => {
    const block = (value: string) => ({ StringEquals: { 'aws:userid': value } });
    expect(conditionHolds(block(variable('aws:userid')), CONTEXT)).toBe(true);
    expect(conditionHolds(block(variable('aws:principalarn')), CONTEXT)).toBe(false);
  });

  test('every key and operator of a block must hold', () => {
    const yes = { 'aws:userid': 'AROAEXAMPLE:agent-1' };
    const no = { 'aws:SecureTransport': 'true' };
    expect(conditionHolds({ StringEquals: yes }, CONTEXT)).toBe(true);
    expect(conditionHolds({ StringEquals: { ...yes, 'aws:EpochTime': '1' } }, CONTEXT)).toBe(false);
    expect(conditionHolds({ StringEquals: yes, Bool: no }, CONTEXT)).toBe(false);
  });
});

describe('wildcards', () => {
  test('text without a wildcard matches itself alone', () => {
    const plain = fc.string({ unit: anyCharacter }).filter((text) => !/[*?]|\$\{/.test(text));
    fc.assert(
      fc.property(plain, plain, (pattern, value) => {
        expect(matches(pattern, value, {})).toBe(pattern === value);
      }),
    );
  });

  test('a star matches whatever stands there, line ends included', () => {
    const plain = fc.string().filter((text) => !/[*?]|\$\{/.test(text));
    fc.assert(
      fc.property(plain, fc.string({ unit: anyCharacter }), plain, (before, middle, after) => {
        expect(matches(`${before}*${after}`, before + middle + after, {})).toBe(true);
      }),
    );
  });

  test.each([
    [`home/${variable('aws:userid')}/*`, 'home/AROAEXAMPLE:agent-1/x', true],
    [`home/${variable('aws:userid')}/*`, 'home/other/x', false],
    [`home/${variable('aws:sourceidentity')}/*`, 'home//x', false],
    [`a${variable('*')}b`, 'a*b', true],
    [`a${variable('*')}b`, 'axb', false],
  ])('%s and %s: %s', (pattern, value, expected) => {
    expect(matches(pattern, value, CONTEXT)).toBe(expected);
  });

  test('a value of the request is taken literally', () => {
    expect(matches(variable('aws:userid'), 'anything', { 'aws:userid': '*' })).toBe(false);
  });
});

describe('a session policy that AWS would not accept', () => {
  const document = (statement: object, more: object = {}) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [statement], ...more });
  test.each([
    ['no JSON', '{', /invalid Json/],
    ['a list', '[]', /Syntax errors/],
    ['another version', document(ALLOW, { Version: '2020-01-01' }), /version/],
    ['an unknown element', document(ALLOW, { Extra: 1 }), /Syntax errors/],
    ['no statement', '{"Version":"2012-10-17"}', /Syntax errors/],
    ['an unknown element of a statement', document({ ...ALLOW, Extra: 1 }), /Syntax errors/],
    ['a principal', document({ ...ALLOW, Principal: '*' }), /should not specify a principal/],
    ['no effect', document({ Action: '*', Resource: '*' }), /Syntax errors/],
    ['an effect in another case', document({ ...ALLOW, Effect: 'allow' }), /Syntax errors/],
    ['no action', document({ Effect: 'Allow', Resource: '*' }), /must contain actions/],
    ['both kinds of action', document({ ...ALLOW, NotAction: 's3:*' }), /must contain actions/],
    ['an empty list of actions', document({ ...ALLOW, Action: [] }), /must contain actions/],
    ['an action without a service', document({ ...ALLOW, Action: 'PutObject' }), /prefaced by a vendor/],
    ['no resource', document({ Effect: 'Allow', Action: '*' }), /must contain resources/],
    ['a resource that is no ARN', document({ ...ALLOW, Resource: 'bucket/*' }), /must be in ARN format/],
    ['a Sid with a dash', document({ ...ALLOW, Sid: 'a-b' }), /alpha-numeric/],
    [
      'two statements of one Sid',
      JSON.stringify(policy({ ...ALLOW, Sid: 'a' }, { ...DENY, Sid: 'a' })),
      /unique/,
    ],
    [
      'an unknown operator',
      document({ ...ALLOW, Condition: { DateBefore: { 'aws:CurrentTime': 'x' } } }),
      /Invalid Condition type/,
    ],
    [
      'a key without a prefix',
      document({ ...ALLOW, Condition: { Bool: { x: 'true' } } }),
      /prefaced by a vendor/,
    ],
    [
      'a date that is none',
      document({ ...ALLOW, Condition: { DateLessThan: { 'aws:CurrentTime': 'tomorrow' } } }),
      /invalid date/,
    ],
    ['a number as a value', document({ ...ALLOW, Condition: { Bool: { 'aws:x': 1 } } }), /Syntax errors/],
  ])('%s', (_, text, fault) => {
    expect(parsePolicy(text)).toMatch(fault);
  });

  test('one that it does accept comes back as it is', () => {
    const good = policy(ALLOW, {
      ...DENY,
      Condition: { DateGreaterThan: { 'aws:CurrentTime': '2026-11-23T12:00:00Z' } },
    });
    expect(parsePolicy(JSON.stringify(good))).toEqual(good);
    expect(parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: ALLOW }))).toEqual(policy(ALLOW));
  });
});

test.each([
  [
    'explicit',
    'identity-based',
    's3:PutObject',
    'on resource: "arn:x" with an explicit deny in an identity-based policy',
  ],
  ['explicit', 'session', 's3:PutObject', 'on resource: "arn:x" with an explicit deny in a session policy'],
  [
    'implicit',
    'session',
    's3:PutObject',
    'on resource: "arn:x" because no session policy allows the s3:PutObject action',
  ],
  [
    'implicit',
    'identity-based',
    'sts:TagSession',
    'on resource: arn:x because no identity-based policy allows the sts:TagSession action',
  ],
] as const)('the message of an %s deny by the %s policy for %s', (kind, by, action, end) => {
  const message = accessDeniedMessage(
    'U',
    { action, resource: 'arn:x', context: {} },
    { allowed: false, kind, policy: by },
  );
  expect(message).toBe(`User: U is not authorized to perform: ${action} ${end}`);
});
