import { expect, test } from 'vitest';
import type { AuditFields } from '../../src/audit/record/record.ts';
import { auditShow } from '../../src/commands/audit-show.ts';
import { CLOSED, DENIED, GRANTED, ISSUED_RECORD, seal, writeLog } from '../audit/samples.ts';
import { tempDir } from '../helpers/cli.ts';
import { printing } from './audit-context.ts';

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
    /unfinished\n {2}no end is recorded: .*\n {2}the credential (expired at|is valid until) 2026-03-01T12:15:00\.000Z\n$/,
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
