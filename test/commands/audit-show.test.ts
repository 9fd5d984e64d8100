import { describe, expect, test } from 'vitest';
import { sealRecord } from '../../src/audit/log/chain.ts';
import type { AuditFields } from '../../src/audit/record/record.ts';
import { auditShow } from '../../src/commands/audit-show.ts';
import { CLOSED, DENIED, GRANTED, ISSUED_RECORD, seal, writeLog } from '../audit/samples.ts';
import { tempDir } from '../helpers/cli.ts';
import { printing } from './audit-context.ts';

const hashOf = (line: string | undefined) => (JSON.parse(line ?? '') as { hash: string }).hash;

async function show(records: readonly AuditFields[], lease: string): Promise<string> {
  const stateDir = tempDir();
  writeLog(stateDir, seal(records));
  const printed = printing(stateDir);
  expect(await auditShow(printed.context, { lease })).toBe(0);
  expect(printed.stderr()).toBe('');
  return printed.stdout();
}

test('the whole story of a lease', async () => {
  expect(await show([DENIED, GRANTED, ISSUED_RECORD, CLOSED], '9f8c')).toBe(`\
lease 9f8c6b6a41d2e07c
  capability     publish-preview-build
  actor          claude-code (observed: CLAUDECODE)
  task           task-12
  justification  preview of the new landing page
  repo           acme/web-app (observed: .git/config)
  branch         feat/x (observed: .git/HEAD)
  commit         0123456789abcdef0123456789abcdef01234567 (unknown: not asked)
  environment    preview (claimed: --environment)
  command        ./scripts/publish-preview.sh --site 'preview of x'
  directory      /home/dev/web-app
  map            /home/dev/web-app/capabilities.yaml (pinned, sha256 ${'ab'.repeat(32)})
  scope          s3:PutObject cloudfront:CreateInvalidation
  ran on         build-7, process 4711, capwrap 0.0.0-test

granted  2026-03-01T12:00:01.000Z
  allowed by capabilities.publish-preview-build.rules[0] for 15m
  no approval was needed

issued  2026-03-01T12:00:02.000Z  +1.000 s
  aws-sts issued a credential that expires at 2026-03-01T12:15:00.000Z
  it speaks as: arn:aws:sts::123456789012:assumed-role/preview-deployer/agent-9f8c6b6a41d2e07c
  access key id: ASIAIOSFODNN7EXAMPLE

closed  2026-03-01T12:00:03.000Z  +2.000 s
  the child exited 0 after 3.2 s
  the issuer can't revoke the credential; it expires at 2026-03-01T12:15:00.000Z
  secret values masked in stdout: 2
  the lease was open for 1s, of 15m granted

chain
  each of the 3 records has its hash and its place between its neighbours
  the rest of the log was not checked: capwrap audit verify
`);
});

const ended = (change: Partial<AuditFields>): AuditFields => ({ ...CLOSED, ...change });

test.each([
  [
    'a signal',
    ended({ child: { exit_code: null, signal: 'SIGTERM', duration_ms: 900 } }),
    'the child was ended by SIGTERM after 0.9 s',
  ],
  [
    'a time limit',
    ended({ time_limit_reached: true }),
    'the child exited 0 after 3.2 s, because its time was over',
  ],
  [
    'a verified revocation',
    ended({ outcome: 'revoked_verified' }),
    'the credential was revoked, and a probe found it dead',
  ],
  [
    'a revocation nobody verified',
    ended({ outcome: 'revoked_unverified' }),
    'the credential was revoked; that it is dead was not verified',
  ],
  [
    'a revocation that failed',
    ended({ outcome: 'revoke_failed' }),
    'the credential could not be revoked; it expires at 2026-03-01T12:15:00.000Z',
  ],
  [
    'an expiry that is over',
    ended({ outcome: 'expired' }),
    'the credential had expired, at 2026-03-01T12:15:00.000Z',
  ],
  [
    'an error',
    ended({
      outcome: 'not_issued',
      error: { code: 'ERR_PROVIDER_TIMEOUT', message: '"sts" did not answer' },
    }),
    'error: ERR_PROVIDER_TIMEOUT: "sts" did not answer',
  ],
  ['a denial', { ...DENIED, lease_id: GRANTED.lease_id ?? '' }, 'denied: no_rule_matched'],
  [
    'an approval',
    {
      event: 'approval_given',
      lease_id: GRANTED.lease_id ?? '',
      approver: 'ada',
      approval_grade: 'terminal',
    } as const,
    'approved by ada (terminal)',
  ],
  [
    'an end by another capwrap',
    { event: 'lease_ended', lease_id: GRANTED.lease_id ?? '', outcome: 'revoked_verified' } as const,
    'the credential was revoked, and a probe found it dead',
  ],
])('tells of %s', async (_what, record, sentence) => {
  expect((await show([GRANTED, record], '9f8c')).split('\n')).toContain(`  ${sentence}`);
});

test('a run without an end is unfinished, and nothing pretends', async () => {
  expect(await show([GRANTED], '9f8c')).toContain(`
unfinished
  no end is recorded: the run is still going, or capwrap was killed
  no credential is recorded either; one may have been issued just then
`);
  expect(await show([GRANTED, ISSUED_RECORD], '9f8c')).toMatch(
    /unfinished\n {2}no end is recorded: .*\n {2}the credential (expired at|is valid until) 2026-03-01T12:15:00\.000Z\n\nchain\n/,
  );
});

test.each(['lease_ended', 'reconciled'] as const)(
  'the run is told as its own, whoever adds a %s later',
  async (event) => {
    const stateDir = tempDir();
    const [granted = '', added = ''] = seal([GRANTED, { event, lease_id: GRANTED.lease_id ?? '' }]);
    writeLog(stateDir, [granted, added.replace('"host":"build-7","pid":4711', '"host":"laptop","pid":1')]);
    const { context, stdout } = printing(stateDir);
    await auditShow(context, { lease: '9f8c' });
    expect(stdout()).toContain('ran on         build-7, process 4711, capwrap 0.0.0-test');
  },
);

test('a TTL that was shortened and a human approval are told', async () => {
  const granted = {
    ...GRANTED,
    ttl_requested: 3600,
    approval: 'granted',
    approver: 'ada',
    approval_grade: 'terminal',
  } as const;
  const story = await show([granted], '9f8c');
  expect(story).toContain('for 15m (asked for 1h)\n  with approval by ada (terminal)\n');
});

const ASKED = {
  event: 'approval_requested',
  lease_id: GRANTED.lease_id ?? '',
  approval_id: '2f6c0e9a7b11',
} as const;
const GIVEN = {
  ...ASKED,
  event: 'approval_given',
  approver: 'ada',
  approval_grade: 'ssh_key_touch',
  approver_key: 'SHA256:x',
} as const;
const APPROVED = {
  ...GRANTED,
  approval: 'granted',
  approver: 'ada',
  approval_grade: 'ssh_key_touch',
  approval_id: ASKED.approval_id,
} as const;

test('who approved, with which key, how strongly, and how long it took', async () => {
  expect(await show([ASKED, DENIED, GIVEN, APPROVED], '9f8c')).toContain(`
approval_given  2026-03-01T12:00:02.000Z  +2.000 s
  approved by ada (ssh_key_touch)
  with key: SHA256:x
  the answer took 2s

granted  2026-03-01T12:00:03.000Z  +3.000 s
  allowed by capabilities.publish-preview-build.rules[0] for 15m
  with approval (2f6c0e9a7b11) by ada (ssh_key_touch)
`);
});

test('an approval that another run had asked for is part of the story, and of that story alone', async () => {
  const other = { lease_id: 'cccccccccccccccc' };
  const foreign = { ...ASKED, ...other, approval_id: 'ffffffffffff' };
  const records = [
    { ...ASKED, ...other },
    foreign,
    { ...GIVEN, ...other },
    APPROVED,
    { ...DENIED, ...other },
  ];
  const story = await show(records, '9f8c');
  expect(story).toContain(`
  approved by ada (ssh_key_touch)
  with key: SHA256:x
  the answer took 2s
  by the run of lease cccccccccccccccc
`);
  expect(story).not.toContain('ffffffffffff');
  expect(story.match(/^approval_requested/gm)).toHaveLength(1);
});

test('runs that were started inside are named', async () => {
  const inner = (lease_id: string) => ({ ...GRANTED, lease_id, parent_lease_id: GRANTED.lease_id ?? '' });
  const story = await show([GRANTED, inner('a1'), inner('b2'), inner('a1')], '9f8c');
  expect(story).toMatch(/^ {2}runs inside {4}a1 b2$/m);
});

describe('the chain around the records', () => {
  const whole = seal([DENIED, GRANTED, ISSUED_RECORD, CLOSED, DENIED]);
  const forged = sealRecord({ ...GRANTED, actor: 'nobody' }, { seq: 1, hash: hashOf(whole[0]) }).line;
  const alone = ['denied', 'granted', 'issued', 'closed'];
  test.each([
    [
      'a byte was changed',
      1,
      whole[1]?.replace('feat/x', 'feat/y'),
      ['granted'],
      'its hash does not fit its bytes: it was changed',
    ],
    ['a record was sealed anew', 1, forged, ['granted', 'issued'], 'the record behind it does not follow it'],
    ['the record before is gone', 0, undefined, [], ''],
    ['a record between them is gone', 2, undefined, ['granted', 'closed'], ''],
    [
      'the last one was put in another place',
      4,
      whole[0],
      ['closed'],
      'the record behind it does not follow it',
    ],
  ])('is told where %s', async (_what, at, line, broken, why) => {
    const stateDir = tempDir();
    writeLog(
      stateDir,
      whole.flatMap((each, index) => (index === at ? (line === undefined ? [] : [line]) : [each])),
    );
    const { context, stdout } = printing(stateDir);
    expect(await auditShow(context, { lease: '9f8c' })).toBe(broken.length > 0 ? 1 : 0);
    for (const event of alone) {
      const told = stdout().includes(`the record "${event}" (seq`);
      expect(told, event).toBe(broken.includes(event));
    }
    expect(stdout()).toContain(why);
    const asJson = printing(stateDir, { json: true });
    expect(await auditShow(asJson.context, { lease: '9f8c' })).toBe(broken.length > 0 ? 1 : 0);
    expect(asJson.stderr().match(/is not to be trusted/g) ?? []).toHaveLength(broken.length);
  });

  test('begins where retention has left it', async () => {
    const stateDir = tempDir();
    writeLog(stateDir, whole.slice(1));
    const { context } = printing(stateDir);
    expect(await auditShow(context, { lease: '9f8c' })).toBe(0);
  });
});

test('a command that was cut is told as one', async () => {
  const story = await show([{ ...GRANTED, command: ['x', 'y'.repeat(20_000)] }], '9f8c');
  expect(story).toMatch(/^ {2}cut +command had 20003 bytes, sha256 [0-9a-f]{64}$/m);
});

test('values are escaped', async () => {
  const story = await show(
    [{ ...GRANTED, justification: '\u001b[2Jok\nforged  line', command: ['a\u202eb'] }],
    '9f8c',
  );
  expect(story).not.toMatch(/[^\x20-\x7e\n]/);
  expect(story).toContain('\\u{1b}[2Jok\\u{a}forged  line');
});

test('as JSON, the records as they stand in the log', async () => {
  const stateDir = tempDir();
  const lines = seal([DENIED, GRANTED, CLOSED]);
  writeLog(stateDir, lines);
  const { context, stdout } = printing(stateDir, { json: true });
  expect(await auditShow(context, { lease: '9f8c6b6a41d2e07c' })).toBe(0);
  expect(stdout()).toBe(`${lines[1]}\n${lines[2]}\n`);
});

test('an id that is unknown, ambiguous or none is refused', async () => {
  const stateDir = tempDir();
  writeLog(stateDir, seal([GRANTED, { ...GRANTED, lease_id: '9f8caaaaaaaaaaaa' }]));
  const { context } = printing(stateDir);
  const attempt = (lease: string) => auditShow(context, { lease });
  await expect(attempt('0000')).rejects.toMatchObject({
    code: 'ERR_USAGE',
    message: '"0000" is in no record of the audit log',
    hint: 'capwrap audit list',
  });
  await expect(attempt('9f8c')).rejects.toMatchObject({
    code: 'ERR_USAGE',
    message: '"9f8c" is the start of 2 leases',
  });
  await expect(attempt('"x')).rejects.toMatchObject({ code: 'ERR_USAGE', message: '""x" is no lease id' });
  const empty = printing(tempDir());
  expect(await auditShow(empty.context, { lease: '9f8c' })).toBe(1);
});
