import { appendFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AuditFields } from '../../src/audit/record/record.ts';
import { type AuditListOptions, auditList } from '../../src/commands/audit-list.ts';
import { textWidth } from '../../src/ui/text-width.ts';
import { CLOSED, DENIED, GRANTED, ISSUED_RECORD, seal, writeLog } from '../audit/samples.ts';
import { tempDir } from '../helpers/cli.ts';
import { printing } from './audit-context.ts';

const other = (fields: AuditFields, change: Partial<AuditFields>): AuditFields => ({ ...fields, ...change });
const B = {
  lease_id: 'bbbbbbbbbbbbbbbb',
  task_id: 'task-13',
  actor: 'codex',
  repo: 'acme/api',
  approval: 'granted',
  approver: 'ada',
  approval_grade: 'terminal',
} as const;
const C = { lease_id: 'cccccccccccccccc', capability: 'read-ci-artifacts' };

/** Two leases that overlap, a denial, one that was closed by another capwrap, and records of other kinds. */
const RECORDS: readonly AuditFields[] = [
  { event: 'trusted', map_path: '/home/dev/web-app/capabilities.yaml', map_sha256: 'ab'.repeat(32) },
  GRANTED,
  other(GRANTED, B),
  ISSUED_RECORD,
  DENIED,
  CLOSED,
  other(ISSUED_RECORD, B),
  other(GRANTED, C),
  { event: 'lease_ended', lease_id: C.lease_id, outcome: 'expired', expires_at: '2026-03-01T12:15:00.000Z' },
];

async function list(options: AuditListOptions, records = RECORDS, start?: number) {
  const stateDir = tempDir();
  writeLog(stateDir, seal(records, start));
  const printed = printing(stateDir, { json: true });
  const status = await auditList(printed.context, options);
  const rows = printed
    .stdout()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { status, rows, leases: rows.map((row) => row['lease_id']) };
}

describe('rows', () => {
  test('are the leases and the denials, in the order in which they were granted', async () => {
    const { status, rows } = await list({});
    expect(status).toBe(0);
    expect(rows.map(({ lease_id, status, started, ended }) => [lease_id, status, started, ended])).toEqual([
      [GRANTED.lease_id, 'closed', '2026-03-01T12:00:01.000Z', '2026-03-01T12:00:05.000Z'],
      [B.lease_id, 'unfinished', '2026-03-01T12:00:02.000Z', null],
      [DENIED.lease_id, 'denied', '2026-03-01T12:00:04.000Z', null],
      [C.lease_id, 'ended', '2026-03-01T12:00:07.000Z', '2026-03-01T12:00:08.000Z'],
    ]);
    expect(rows[0]).toMatchObject({
      capability: 'publish-preview-build',
      outcome: 'expires',
      child: { exit_code: 0, signal: null, duration_ms: 3200 },
      masked: { stdout: 2, stderr: 0 },
    });
    expect(rows[2]).toMatchObject({ branch: 'main', reason: 'no_rule_matched', outcome: 'not_issued' });
    expect(rows[3]).toMatchObject({ capability: 'read-ci-artifacts', outcome: 'expired' });
  });

  test('of a lease whose grant is missing are shown with what there is', async () => {
    expect(await list({}, [CLOSED])).toMatchObject({
      rows: [{ lease_id: CLOSED.lease_id, status: 'closed' }],
    });
  });

  const filters: readonly [AuditListOptions, readonly (string | undefined)[]][] = [
    [{ capability: 'read-ci-artifacts' }, [C.lease_id]],
    [{ repo: 'acme/api' }, [B.lease_id]],
    [{ task: 'task-13' }, [B.lease_id]],
    [{ actor: 'codex', capability: 'read-ci-artifacts' }, []],
    [{ outcome: 'expires' }, [GRANTED.lease_id]],
    [{ lease: '9f8c' }, [GRANTED.lease_id]],
    [{ event: 'denied' }, [DENIED.lease_id]],
    [{ event: 'issued' }, [GRANTED.lease_id, B.lease_id]],
    [{ event: 'lease_ended' }, [C.lease_id]],
    [{ event: 'trusted' }, [undefined]],
    [{ since: '2026-03-01T12:00:02Z' }, [B.lease_id, DENIED.lease_id, C.lease_id]],
    [{ since: '2026-03-01' }, [GRANTED.lease_id, B.lease_id, DENIED.lease_id, C.lease_id]],
    [{ since: '2026-03-02' }, []],
    [{ until: '2026-03-01T12:00:04Z' }, [GRANTED.lease_id, B.lease_id]],
    [{ since: '2026-03-01T12:00:02Z', until: '2026-03-01T12:00:03Z' }, [B.lease_id]],
    [{ branch: 'main' }, [DENIED.lease_id]],
    [{ branch: 'feat/*', capability: 'read-*' }, [C.lease_id]],
    [{ repo: 'acme/a*' }, [B.lease_id]],
    [{ repo: '*' }, []],
    [{ repo: '**', last: 1 }, [C.lease_id]],
    [{ environment: 'preview', last: 1 }, [C.lease_id]],
    [{ provider: 'aws-sts', last: 1 }, [C.lease_id]],
    [{ approver: 'ada' }, [B.lease_id]],
    [{ approver: 'a*', grade: 'terminal' }, [B.lease_id]],
    [{ grade: 'ssh_key' }, []],
    [{ status: 'unfinished' }, [B.lease_id]],
    [{ status: 'closed' }, [GRANTED.lease_id]],
    [{ status: 'ended' }, [C.lease_id]],
    [{ status: 'denied' }, [DENIED.lease_id]],
    [{ status: 'leaked' }, [GRANTED.lease_id]],
    [{ status: 'stopped' }, []],
    [{ status: 'error' }, []],
    [{ last: 2 }, [DENIED.lease_id, C.lease_id]],
    [{ last: 1, repo: 'acme/web-app', outcome: 'expires' }, [GRANTED.lease_id]],
  ];
  test.each(filters)('that fit %o', async (options, expected) => {
    expect((await list(options)).leases).toEqual(expected);
  });

  test('since a duration back from now', async () => {
    expect((await list({ since: '1h' }, RECORDS, Date.now() - 3 * 24 * 3600_000)).leases).toEqual([]);
    expect((await list({ since: '2d' }, RECORDS, Date.now() - 3 * 24 * 3600_000)).leases).toEqual([]);
    expect((await list({ since: '4d' }, RECORDS, Date.now() - 3 * 24 * 3600_000)).leases).toHaveLength(4);
    expect((await list({ since: '1h' }, RECORDS, Date.now() - 60_000)).leases).toHaveLength(4);
  });
});

describe('the table', () => {
  test('has a line per row', async () => {
    const stateDir = tempDir();
    writeLog(stateDir, seal(RECORDS));
    const { context, stdout, stderr } = printing(stateDir);
    expect(await auditList(context, {})).toBe(0);
    expect(stdout()).toBe(`\
STARTED               LEASE             CAPABILITY             REPO          BRANCH  ENV      ACTOR        APPROVED        CHILD   END
2026-03-01 12:00:01Z  9f8c6b6a41d2e07c  publish-preview-build  acme/web-app  feat/x  preview  claude-code  -               exit 0  expires 2026-03-01 12:15:00Z, secrets masked: 2
2026-03-01 12:00:02Z  bbbbbbbbbbbbbbbb  publish-preview-build  acme/api      feat/x  preview  codex        ada (terminal)  -       unfinished
2026-03-01 12:00:04Z  1111111111111111  publish-preview-build  acme/web-app  main    preview  claude-code  -               -       denied: no_rule_matched
2026-03-01 12:00:07Z  cccccccccccccccc  read-ci-artifacts      acme/web-app  feat/x  preview  claude-code  -               -       expired 2026-03-01 12:15:00Z
`);
    expect(stderr()).toBe('');
  });

  test('says what is left out', async () => {
    const stateDir = tempDir();
    writeLog(stateDir, seal(RECORDS));
    const { context, stdout, stderr } = printing(stateDir);
    expect(await auditList(context, { last: 1 })).toBe(0);
    expect(stdout().split('\n')).toHaveLength(3);
    expect(stderr()).toBe('older ones are left out; all of them: without -n\n');
  });

  test('escapes what the caller chose, and what somebody wrote into the file', async () => {
    const stateDir = tempDir();
    const hostile = '\u001b]0;owned\u0007\u202efeat\u2028x';
    const path = writeLog(stateDir, seal([{ ...DENIED, branch: hostile }]));
    appendFileSync(
      path,
      `${JSON.stringify({ event: 'denied', timestamp: hostile, reason: hostile, capability: { a: 1 } })}\n`,
    );
    const { context, stdout } = printing(stateDir);
    expect(await auditList(context, {})).toBe(0);
    expect(stdout()).not.toMatch(/[^\x20-\x7e\n…]/);
    expect(stdout()).toContain('\\u{1b}]0;owned\\u{7}\\u{202e}feat');
  });

  test('reads on behind lines that are no record, and says so', async () => {
    const stateDir = tempDir();
    const [first = '', ...rest] = seal([GRANTED, CLOSED, DENIED]);
    writeLog(stateDir, [first, 'garbage', ...rest, '{"event":']);
    const { context, stdout, stderr } = printing(stateDir);
    expect(await auditList(context, {})).toBe(1);
    expect(stdout().split('\n')).toHaveLength(4);
    expect(stderr()).toBe('capwrap: warning: lines that are no record: 2; see capwrap audit verify\n');
  });

  test('of no log or no row says so', async () => {
    const stateDir = tempDir();
    const missing = printing(stateDir);
    expect(await auditList(missing.context, {})).toBe(1);
    expect([missing.stdout(), missing.stderr()]).toEqual([
      '',
      `there is no audit log yet: ${stateDir}/audit.jsonl\n`,
    ]);
    writeLog(stateDir, seal([GRANTED]));
    const none = printing(stateDir);
    expect(await auditList(none.context, { repo: 'acme/none' })).toBe(0);
    expect([none.stdout(), none.stderr()]).toEqual([
      '',
      'no lease and no denial fits --repo acme/none: 1 record searched\n',
    ]);
    writeLog(stateDir, []);
    const empty = printing(stateDir);
    expect(await auditList(empty.context, {})).toBe(0);
    expect(empty.stderr()).toBe('no lease and no denial is in the log: 0 records\n');
  });

  test('names the value that was meant', async () => {
    const stateDir = tempDir();
    writeLog(stateDir, seal(RECORDS));
    const { context, stderr } = printing(stateDir);
    expect(await auditList(context, { repo: 'acme/webapp', actor: "co'dex", since: '2026-03-01' })).toBe(0);
    expect(stderr()).toBe(`\
no lease and no denial fits --repo acme/webapp --actor 'co'\\''dex' --since 2026-03-01: 9 records searched
capwrap: hint: capwrap audit list --repo acme/web-app
capwrap: hint: capwrap audit list --actor codex
`);
  });

  test('neither what was asked for nor what was meant reaches the terminal as it is', async () => {
    const stateDir = tempDir();
    writeLog(stateDir, seal([{ ...GRANTED, repo: 'acme/web\u202e\u001b[2J' }]));
    const { context, stderr } = printing(stateDir);
    await auditList(context, { repo: 'acme/web\u202e\u001b[3J' });
    expect(stderr()).toMatch(/^no lease .*\ncapwrap: hint: .*\n$/);
    expect(stderr()).not.toMatch(/[^\x20-\x7e\n]/);
  });

  test('fits the terminal, and says which columns found no room', async () => {
    const stateDir = tempDir();
    writeLog(
      stateDir,
      seal([{ ...GRANTED, ...B, capability: 'publish-北京-preview-build', branch: 'é'.repeat(99) }]),
    );
    const shown = async (columns: number | undefined) => {
      const { context, stdout, stderr } = printing(stateDir);
      expect(await auditList({ ...context, columns }, {})).toBe(0);
      return [stdout(), stderr()];
    };
    expect(await shown(80)).toEqual([
      `\
STARTED               LEASE             CAPABILI…  APPROVED    CHILD  END
2026-03-01 12:00:00Z  bbbbbbbbbbbbbbbb  publish-…  ada (term…  -      unfinished
`,
      'no room for REPO, BRANCH, ENV, ACTOR: a wider terminal, or --json\n',
    ]);
    for (let columns = 62; columns < 260; columns += 7) {
      const [text = ''] = await shown(columns);
      const lines = text.trimEnd().split('\n');
      expect(lines).toHaveLength(2);
      for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(columns);
    }
    expect((await shown(undefined))[0]).toContain('publish-北京-preview-build  acme/api');
  });
});

test.each([
  [{ since: 'yesterday' }, '"--since yesterday" is neither a duration nor a date'],
  [{ since: '2026-99-99' }, '"--since 2026-99-99" is neither a duration nor a date'],
  [
    { outcome: 'revoked' },
    '"--outcome" must be one of revoked_verified, revoked_unverified, revoke_failed, expires, expired, not_issued',
  ],
  [{ event: 'deny' }, /^"--event" must be one of denied, granted, /],
  [{ grade: 'ssh' }, /^"--grade" must be one of none, terminal, /],
  [{ status: 'open' }, /^"--status" must be one of unfinished, closed, /],
  [{ repo: 'acme/[ab]*' }, '"--repo acme/[ab]*" must not hold "[": patterns know * and ** only'],
  [{ since: '2026-03-02', until: '2026-03-01' }, '"--until" is not after "--since"'],
])('a filter that fits nothing by its form is refused: %o', async (options, message) => {
  await expect(auditList(printing(tempDir()).context, options)).rejects.toMatchObject({
    code: 'ERR_USAGE',
    message: typeof message === 'string' ? message : expect.stringMatching(message),
  });
});

test('the value that was meant is named where it is one of a few', async () => {
  await expect(auditList(printing(tempDir()).context, { outcome: 'revoke_fail' })).rejects.toMatchObject({
    hint: 'capwrap audit list --outcome revoke_failed',
  });
});
