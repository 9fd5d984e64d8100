import { describe, expect, test } from 'vitest';
import type { Answer } from '../../src/approval/answer.ts';
import { type AnswerFault, type JudgeInput, judgeAnswers } from '../../src/approval/judge.ts';
import type { ApprovalDemand, Approver } from '../../src/policy/capability.ts';
import { makeEd25519Key, makeSkKey, type SkKey, signSk, TOUCHED, VERIFIED } from '../sshsig/build-sk.ts';
import {
  approversOf,
  DEMAND,
  NOW,
  PROMPT,
  REQUEST,
  type Sign,
  signed,
  typed,
  withBinding,
} from './samples.ts';

const plain = makeEd25519Key();
const second = makeEd25519Key();
const bobs = makeEd25519Key();
const stranger = makeEd25519Key();
const hardware = makeSkKey('sk-ssh-ed25519@openssh.com');
const withFlags =
  (key: SkKey, flags: number): Sign =>
  (message, namespace) =>
    signSk(key, { message, namespace, flags });
const untouched = withFlags(hardware, 0);
const touched = withFlags(hardware, TOUCHED);
const verified = withFlags(hardware, TOUCHED | VERIFIED);

const ALICE: Approver = {
  name: 'alice',
  keys: [plain.publicLine, second.publicLine, hardware.publicLine],
  actors: ['ally', 'A.Liddell'],
};
const BOB: Approver = { name: 'bob', keys: [bobs.publicLine], actors: [] };

function judge(
  answers: readonly Answer[],
  demand: Partial<ApprovalDemand> = {},
  more: Partial<JudgeInput> = {},
) {
  const input = { request: REQUEST, approvers: approversOf(ALICE, BOB), now: NOW, ...more };
  return judgeAnswers({ ...input, answers, demand: { ...DEMAND, ...demand } });
}

interface Refused {
  readonly what: string;
  readonly answer: Answer;
  readonly reason: AnswerFault;
  readonly detail: RegExp;
  readonly demand?: Partial<ApprovalDemand>;
  readonly more?: Partial<JudgeInput>;
}

const good = signed(plain.sign);
const NO_SELF = { selfApproval: 'deny' } as const;

const REFUSED: readonly Refused[] = [
  {
    what: 'a replayed answer to another request',
    answer: signed(plain.sign, { request: { ...REQUEST, id: '000000000000', nonce: 'f'.repeat(32) } }),
    reason: 'altered',
    detail: /not about this request/,
  },
  {
    what: 'an answer to the same request with another nonce',
    answer: signed(plain.sign, { request: { ...REQUEST, nonce: 'f'.repeat(32) } }),
    reason: 'altered',
    detail: /not about this request/,
  },
  {
    what: 'a signed statement about another command',
    answer: signed(plain.sign, { request: withBinding({ command: ['rm', '-rf', '/'] }) }),
    reason: 'altered',
    detail: /was changed/,
  },
  {
    what: 'a typed statement about another command',
    answer: typed('builder', { request: withBinding({ cwd: '/' }) }),
    reason: 'altered',
    detail: /was changed/,
    demand: PROMPT,
  },
  {
    what: 'a statement that was altered after it was signed',
    answer: { ...good, statement: good.statement.replace('"uses": 1', '"uses": 9') },
    reason: 'bad_signature',
    detail: /didn't sign this message/,
  },
  {
    what: 'a signature with one changed character',
    answer: { ...good, signature: good.signature.replace(/(?<=\n)[^\n]{5}/, 'AAAAA') },
    reason: 'bad_signature',
    detail: /^the signature /,
  },
  {
    what: 'no signature at all',
    answer: { ...good, signature: '' },
    reason: 'bad_signature',
    detail: /^the signature doesn't start with/,
  },
  {
    what: 'a signature made for git',
    answer: signed(plain.sign, { namespace: 'git' }),
    reason: 'wrong_namespace',
    detail: /"git" is the signature's namespace, not capwrap-approval/,
  },
  {
    what: 'a signature in a namespace that only begins alike',
    answer: signed(plain.sign, { namespace: 'capwrap-approval2' }),
    reason: 'wrong_namespace',
    detail: /not capwrap-approval/,
  },
  {
    what: "a stranger's key",
    answer: signed(stranger.sign),
    reason: 'wrong_key',
    detail: /none of the accepted keys/,
  },
  {
    what: 'a key of the map where nobody of the map is at hand',
    answer: good,
    reason: 'wrong_key',
    detail: /none of the accepted keys/,
    more: { approvers: new Map() },
  },
  {
    what: "an approver who isn't on the rule's list",
    answer: signed(bobs.sign),
    reason: 'not_an_approver',
    detail: /"bob" may not approve this; who may: alice/,
    demand: { approvers: ['alice'] },
  },
  {
    what: 'a hardware key that nobody touched, where touch is asked',
    answer: signed(untouched),
    reason: 'touch_missing',
    detail: /nobody touched/,
    demand: { grade: 'ssh_key_touch' },
  },
  {
    what: 'a hardware key that says "verified" without a touch',
    answer: signed(withFlags(hardware, VERIFIED)),
    reason: 'touch_missing',
    detail: /nobody touched/,
    demand: { grade: 'ssh_key_verified' },
  },
  {
    what: 'a plain key where touch is asked',
    answer: good,
    reason: 'touch_missing',
    detail: /nobody touched/,
    demand: { grade: 'ssh_key_touch' },
  },
  {
    what: 'a touched key where verification is asked',
    answer: signed(touched),
    reason: 'verification_missing',
    detail: /asked for no PIN/,
    demand: { grade: 'ssh_key_verified' },
  },
  {
    what: 'a typed answer where a signature is asked',
    answer: typed('alice'),
    reason: 'grade_too_weak',
    detail: /typed on a terminal, and the rule asks for ssh_key$/,
  },
  {
    what: 'a typed answer where touch is asked',
    answer: typed('alice'),
    reason: 'grade_too_weak',
    detail: /the rule asks for ssh_key_touch/,
    demand: { grade: 'ssh_key_touch' },
  },
  {
    what: 'a millisecond after its end',
    answer: good,
    reason: 'expired',
    detail: /good until 2026-01-05T11:00:00\.000Z/,
    more: { now: new Date('2026-01-05T11:00:00.001Z') },
  },
  {
    what: 'more uses than the rule permits',
    answer: signed(plain.sign, { terms: { uses: 6 } }),
    reason: 'more_than_allowed',
    detail: /more uses, or more time/,
    demand: { uses: 5 },
  },
  {
    what: 'a millisecond more than the rule permits',
    answer: signed(plain.sign, { terms: { not_after: '2026-01-05T11:05:00.001Z' } }),
    reason: 'more_than_allowed',
    detail: /more uses, or more time/,
  },
  {
    what: 'what the request asks for, where the map has become narrower',
    answer: signed(plain.sign, {
      request: { ...REQUEST, demand: { ...DEMAND, uses: 5 } },
      terms: { uses: 5 },
    }),
    reason: 'more_than_allowed',
    detail: /more uses/,
    more: { request: { ...REQUEST, demand: { ...DEMAND, uses: 5 } } },
  },
  ...(
    [
      ['the name of the actor', { actor: 'alice' }],
      ['the name of the actor, in capitals', { actor: 'ALICE' }],
      ["one of the approver's actors", { actor: 'ally' }],
      ["one of the approver's actors, in other case", { actor: 'a.liddell' }],
      ['the user of the system', { actor: null, user: 'alice' }],
      ['the user of the system, in capitals', { actor: 'agent-7', user: 'Alice' }],
      ["one of the approver's names as a user", { actor: 'agent-7', user: 'ALLY' }],
    ] as const
  ).map(([what, change]): Refused => {
    const request = withBinding(change);
    return {
      what: `self-approval by ${what}`,
      answer: signed(plain.sign, { request }),
      reason: 'self_approval',
      detail: /"alice" is who asks/,
      demand: NO_SELF,
      more: { request },
    };
  }),
  {
    what: 'self-approval by the user who types it',
    answer: typed('Builder'),
    reason: 'self_approval',
    detail: /"Builder" is who asks/,
    demand: { ...PROMPT, ...NO_SELF },
  },
];

describe('an answer that does not count', () => {
  test.each(REFUSED)('$what: $reason', ({ answer, reason, detail, demand, more }) => {
    expect(judge([answer], demand, more)).toEqual({
      counted: [],
      refused: [{ reason, detail: expect.stringMatching(detail) }],
      approval: null,
    });
  });

  test('a key of an algorithm that is not supported', () => {
    const blob = Buffer.concat([
      plain.blob.subarray(0, 4),
      Buffer.from('ssh-ed25518'),
      plain.blob.subarray(15),
    ]);
    const bytes = Buffer.from(good.signature.split('\n').slice(1, -2).join(''), 'base64');
    blob.copy(bytes, bytes.indexOf(plain.blob));
    const signature = `-----BEGIN SSH SIGNATURE-----\n${bytes.toString('base64')}\n-----END SSH SIGNATURE-----\n`;
    expect(judge([{ ...good, signature }]).refused).toMatchObject([{ reason: 'unsupported' }]);
  });

  test('keeps no other from counting', () => {
    const { counted, refused, approval } = judge([signed(stranger.sign), typed('alice'), good]);
    expect(refused.map(({ reason }) => reason)).toEqual(['wrong_key', 'grade_too_weak']);
    expect(counted.map(({ approver }) => approver)).toEqual(['alice']);
    expect(approval).toMatchObject({ grade: 'ssh_key', approvers: ['alice'] });
  });
});

describe('an answer that counts', () => {
  const cases: readonly [string, Answer, Partial<ApprovalDemand>, string][] = [
    ['signed with a plain key', good, {}, 'ssh_key'],
    ['signed where typing were enough', good, PROMPT, 'ssh_key'],
    ['typed where typing is enough', typed('builder'), PROMPT, 'terminal'],
    ['signed with a key that was not touched, where none need be', signed(untouched), {}, 'ssh_key'],
    ['signed with a touched key', signed(touched), { grade: 'ssh_key_touch' }, 'ssh_key_touch'],
    ['signed with a verified touch', signed(verified), { grade: 'ssh_key_verified' }, 'ssh_key_verified'],
    [
      'signed with a verified touch where touch is asked',
      signed(verified),
      { grade: 'ssh_key_touch' },
      'ssh_key_verified',
    ],
    ['of an approver on the list', good, { approvers: ['bob', 'alice'] }, 'ssh_key'],
    ['of somebody else than who asks', good, NO_SELF, 'ssh_key'],
    [
      'up to the last moment',
      signed(plain.sign, { terms: { not_after: '2026-01-05T11:05:00.000Z' } }),
      {},
      'ssh_key',
    ],
    [
      'for all uses that the rule permits',
      signed(plain.sign, { terms: { uses: 5 } }),
      { uses: 5 },
      'ssh_key',
    ],
  ];
  test.each(cases)('%s', (_what, answer, demand, grade) => {
    const { refused, approval } = judge([answer], demand);
    expect(refused).toEqual([]);
    expect(approval?.grade).toBe(grade);
  });

  test('in the very millisecond of its end', () => {
    expect(judge([good], {}, { now: new Date('2026-01-05T11:00:00.000Z') }).approval).not.toBeNull();
  });

  test('is named by the key it was made with', () => {
    expect(judge([good]).counted).toEqual([
      {
        approver: 'alice',
        grade: 'ssh_key',
        fingerprint: expect.stringMatching(/^SHA256:[\w+/]{43}$/),
        terms: { uses: 1, not_after: '2026-01-05T11:00:00.000Z' },
      },
    ]);
  });
});

describe('two approvers', () => {
  const two = { count: 2, uses: 5 };

  test.each<[string, readonly Answer[], readonly string[]]>([
    ['one with two keys is one', [good, signed(second.sign)], ['alice']],
    ['one with the same answer twice is one', [good, good], ['alice']],
    ['one with other terms is one', [good, signed(plain.sign, { terms: { uses: 2 } })], ['alice']],
    ['two are two', [good, signed(bobs.sign)], ['alice', 'bob']],
    [
      'in the order of their answers, and named in that of their names',
      [signed(bobs.sign), good],
      ['bob', 'alice'],
    ],
    ['one and a stranger are one', [good, signed(stranger.sign)], ['alice']],
    ['one and what somebody typed are one', [good, typed('bob')], ['alice']],
  ])('%s', (_what, answers, names) => {
    const { counted, approval } = judge(answers, two);
    expect(counted.map(({ approver }) => approver)).toEqual(names);
    expect(approval?.approvers ?? null).toEqual(names.length === 2 ? ['alice', 'bob'] : null);
    expect(counted[0]?.terms.uses, 'the first answer of each stands').toBe(1);
  });

  test('permit the narrowest of what each permits, with the weaker grade', () => {
    const wide = signed(verified, { terms: { uses: 5, not_after: '2026-01-05T10:30:00.000Z' } });
    const narrow = signed(bobs.sign, { terms: { uses: 2, not_after: '2026-01-05T11:05:00.000Z' } });
    for (const answers of [
      [wide, narrow],
      [narrow, wide],
    ]) {
      expect(judge(answers, two).approval).toMatchObject({
        grade: 'ssh_key',
        terms: { uses: 2, not_after: '2026-01-05T10:30:00.000Z' },
      });
    }
  });

  test('none at all is no approval', () => {
    expect(judge([])).toEqual({ counted: [], refused: [], approval: null });
  });
});

test('an approver who is also who asks is refused, and the other one counts', () => {
  const request = withBinding({ actor: 'Ally' });
  const answers = [signed(plain.sign, { request }), signed(bobs.sign, { request })];
  const { counted, refused } = judge(answers, NO_SELF, { request });
  expect(refused.map(({ reason }) => reason)).toEqual(['self_approval']);
  expect(counted.map(({ approver }) => approver)).toEqual(['bob']);
});
