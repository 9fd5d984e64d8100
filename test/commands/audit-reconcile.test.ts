/** `capwrap audit reconcile` from the log to the record, with files and against a fake CloudTrail. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { AuditFields } from '../../src/audit/record/record.ts';
import { auditList } from '../../src/commands/audit-list.ts';
import { type AuditReconcileOptions, auditReconcile } from '../../src/commands/audit-reconcile.ts';
import { auditShow } from '../../src/commands/audit-show.ts';
import { CLOSED, GRANTED, ISSUED_RECORD, recordsOf, seal, writeLog } from '../audit/samples.ts';
import { home, ID, KEYS, LONG_LIVED_ID, SECRET, TOKEN } from '../broker/key-sources.ts';
import { errorOf } from '../helpers/aws.ts';
import { tempDir } from '../helpers/cli.ts';
import { Refusal } from '../issuers/call.ts';
import {
  AFTER_RUN,
  CLEAN,
  call,
  chain,
  IN_RUN,
  invalidation,
  issue,
  KEY,
  LONG_AFTER,
  later,
  PRINCIPAL,
  type RawEvent,
  SESSION,
  s3,
  withKey,
} from '../issuers/cloudtrail/events.ts';
import { startTrail, type TrailOptions } from '../issuers/cloudtrail/server.ts';
import { printing } from './audit-context.ts';

const NAMED = { session_name: SESSION, access_key_id: KEY, principal: PRINCIPAL, clock_skew_seconds: 0 };
const LEASE_ID = GRANTED.lease_id ?? '';

const NOON = Date.parse('2026-03-01T12:00:00.000Z');

/** A log in which the sample's lease was granted at 12:00:01, issued a second later and closed at 12:00:05. */
function logOf(changes: Partial<AuditFields> = {}, more: readonly AuditFields[] = [], start = NOON) {
  const of = (record: AuditFields) => ({ ...record, ...NAMED, ...changes });
  const blank: AuditFields = { event: 'trusted', map_path: '/map', map_sha256: 'ab'.repeat(32) };
  const stateDir = tempDir();
  const records = [blank, GRANTED, of(ISSUED_RECORD), blank, blank, of(CLOSED), ...more];
  const path = writeLog(stateDir, seal(records, start));
  const printed = printing(stateDir, { json: false });
  return { stateDir, path, printed, last: () => recordsOf(path).at(-1) ?? {} };
}

/** A folder as CloudTrail fills it. */
function trailOf(events: readonly RawEvent[]): string {
  const folder = tempDir();
  const day = join(folder, 'AWSLogs', '123456789012', 'CloudTrail', 'us-east-1', '2026', '03', '01');
  mkdirSync(day, { recursive: true });
  const half = Math.ceil(events.length / 2);
  for (const [name, part] of [
    ['a', events.slice(0, half)],
    ['b', events.slice(half)],
  ] as const)
    writeFileSync(
      join(day, `123456789012_CloudTrail_us-east-1_${name}.json.gz`),
      gzipSync(JSON.stringify({ Records: part })),
    );
  return folder;
}

const SAID = { complete: true, dataEvents: true };

async function reconcile(log: ReturnType<typeof logOf>, options: AuditReconcileOptions) {
  const printed = printing(log.stateDir, { json: true });
  const status = await auditReconcile(printed.context, options);
  const rows = printed
    .stdout()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { status, rows, row: rows[0] ?? {}, stderr: printed.stderr() };
}

describe('exported files', () => {
  test.each([{}, { lease: LEASE_ID }, { failOn: 'never' }] as const)(
    'without a log are no proof of anything: status 1 with %j',
    async (options) => {
      const { context, stderr } = printing(tempDir(), { quiet: true });
      expect(await auditReconcile(context, { ...options, events: [trailOf([])], ...SAID })).toBe(1);
      expect(stderr()).toBe('');
    },
  );

  test('make a verdict, which is recorded once', async () => {
    const log = logOf();
    const events = [trailOf(CLEAN)];
    const { status, row } = await reconcile(log, { events, ...SAID });
    expect(status).toBe(0);
    expect(row).toMatchObject({
      lease_id: LEASE_ID,
      verdict: 'expired_without_reuse',
      reasons: [],
      recorded: true,
      run_ended_at: '2026-03-01T12:00:05.000Z',
    });
    expect(log.last()).toMatchObject({
      event: 'reconciled',
      lease_id: LEASE_ID,
      task_id: 'task-12',
      actor: 'claude-code',
      repo: 'acme/web-app',
      capability: 'publish-preview-build',
      provider: 'aws-sts',
      access_key_id: KEY,
      verdict: 'expired_without_reuse',
      provisional: false,
      events_seen: 2,
      searched: { source: 'files', regions: [], stated: ['complete', 'data_events'] },
    });
    expect((await reconcile(log, { events, ...SAID })).rows).toEqual([]);
    expect((await reconcile(log, { events, ...SAID, again: true })).rows).toHaveLength(1);
    expect(recordsOf(log.path).filter(({ event }) => event === 'reconciled')).toHaveLength(2);
  });

  test('with a reuse: status 1, the events, and nothing written by --dry-run', async () => {
    const log = logOf();
    const events = [
      trailOf([
        ...CLEAN,
        invalidation(AFTER_RUN),
        s3('GetObject', LONG_AFTER, { errorCode: 'AccessDenied' }),
      ]),
    ];
    const { status, row } = await reconcile(log, { events, dryRun: true, failOn: 'reuse' });
    expect(status).toBe(1);
    expect(row).toMatchObject({
      verdict: 'reuse_detected',
      reuse_seen: 2,
      recorded: false,
      reasons: ['coverage_not_stated', 'data_events_not_recorded'],
    });
    expect(log.last()).toMatchObject({ event: 'closed' });
    expect((await reconcile(log, { events, failOn: 'never' })).status).toBe(0);
    expect(log.last()).toMatchObject({ event: 'reconciled', verdict: 'reuse_detected', reuse_seen: 2 });
  });

  test('of use outside the scope: status 1', async () => {
    const events = [trailOf([...CLEAN, s3('GetObject', IN_RUN)])];
    const { status, row } = await reconcile(logOf(), { events, ...SAID });
    expect(status).toBe(1);
    expect(row).toMatchObject({ verdict: 'expired_without_reuse', actions: { outside: ['s3:GetObject'] } });
  });

  test('that prove nothing: status 0, or 1 where that is asked for', async () => {
    const log = logOf();
    const events = [trailOf(CLEAN)];
    expect(await reconcile(log, { events })).toMatchObject({ status: 0, row: { verdict: 'unverifiable' } });
    expect(await reconcile(log, { events, failOn: 'unverifiable' })).toMatchObject({ status: 1 });
  });

  test.each<[string, (lines: readonly string[]) => string]>([
    ['one event a line', (lines) => lines.join('\n')],
    [
      'one document over many lines',
      (lines) => JSON.stringify({ Records: lines.map((line) => JSON.parse(line)) }, null, 2),
    ],
    [
      'the answer of LookupEvents',
      (lines) =>
        JSON.stringify({ Events: lines.map((line) => ({ EventId: 'x', CloudTrailEvent: line })) }, null, 4),
    ],
    [
      'rows of CloudTrail Lake',
      (lines) => JSON.stringify({ QueryResultRows: lines.map((line) => [{ eventJson: line }]) }),
    ],
    ['a byte order mark and blank lines', (lines) => `\uFEFF\n${lines.join('\n\n')}\n`],
    ['a list', (lines) => `[${lines.join(',')}]`],
  ])('can be %s', async (_what, write) => {
    const file = join(tempDir(), 'export');
    writeFileSync(file, write(CLEAN.map((event) => JSON.stringify(event))));
    const found = await reconcile(logOf(), { events: [file], ...SAID });
    expect(found).toMatchObject({ row: { verdict: 'expired_without_reuse', events_seen: 2 }, stderr: '' });
  });

  test.each<[string, (folder: string, whole: string) => void, RegExp]>([
    [
      'a damaged line',
      (folder, whole) => writeFileSync(join(folder, 'x.jsonl'), `${whole}\n{"eventID":\n${whole}`),
      /"[^"]*x\.jsonl", line 2, is no JSON of events/,
    ],
    [
      'a line that is no event',
      (folder, whole) => writeFileSync(join(folder, 'x.jsonl'), `${whole}\n"text"\n{"eventID":7}`),
      /line 2, holds something that is no CloudTrail event[\s\S]*line 3,/,
    ],
    [
      'a damaged first line',
      (folder, whole) => writeFileSync(join(folder, 'x.jsonl'), `{"eve\n${whole}`),
      /line 1, is no JSON of events/,
    ],
    [
      'a cut archive',
      (folder, whole) => writeFileSync(join(folder, 'x.json.gz'), gzipSync(whole).subarray(0, 200)),
      /x\.json\.gz" is damaged \(Z_BUF_ERROR\)/,
    ],
    [
      'no events at all',
      (folder) => writeFileSync(join(folder, 'x.json'), 'A report\n'.repeat(300)),
      /has too many faults[\s\S]*and \d+ more places/,
    ],
    [
      'a depth without end',
      (folder) => writeFileSync(join(folder, 'x.json'), '{"a\\"":['.repeat(1_000_000)),
      /x\.json", line 1, is no JSON of events/,
    ],
    ['an empty file', (folder) => writeFileSync(join(folder, 'x.json'), ''), /x\.json" is empty/],
    [
      'a link',
      (folder) => symlinkSync('/etc/passwd', join(folder, 'x.json')),
      /links, or no whole files: 1, first ".*x\.json"/,
    ],
    [
      'what is left of a download',
      (folder) => writeFileSync(join(folder, '1_CloudTrail_us-east-1_x.json.gz.Ab12Cd34'), 'x'),
      /no whole files: 1, first ".*Ab12Cd34"/,
    ],
    [
      'an answer that goes on',
      (folder, whole) => writeFileSync(join(folder, 'x.json'), `{"Records":[${whole}],"NextToken":"eyJ"}`),
      /line 1, is one page of several: it has a NextToken/,
    ],
    [
      'a query that is still running',
      (folder) => writeFileSync(join(folder, 'x.json'), '{"QueryStatus":"RUNNING","QueryResultRows":[]}'),
      /line 1, is the answer to a query that is not finished/,
    ],
    [
      'an archive with a hole',
      (folder, whole) =>
        writeFileSync(
          join(folder, 'x.jsonl.gz'),
          Buffer.concat([gzipSync(`${whole}\n`), Buffer.alloc(512), gzipSync(`${whole}\n`)]),
        ),
      /x\.jsonl\.gz" is damaged: it goes on behind its end/,
    ],
    [
      'an event like one that is known',
      (folder, whole) => writeFileSync(join(folder, 'x.json'), whole.replace('203.0.113.7', '203.0.113.8')),
      /^$/,
    ],
  ])('with %s are read as far as they go, and prove nothing', async (_what, damage, says) => {
    const folder = trailOf(CLEAN);
    damage(folder, JSON.stringify(CLEAN[1]));
    const { row, stderr } = await reconcile(logOf(), { events: [folder], ...SAID });
    expect(row).toMatchObject({ verdict: 'unverifiable', reasons: ['events_unreadable'] });
    expect(stderr).toMatch(says);
  });

  test('of other names, digests and insights are passed over', async () => {
    const folder = trailOf(CLEAN);
    writeFileSync(join(folder, 'notes.txt'), 'x');
    mkdirSync(join(folder, 'CloudTrail-Digest'));
    writeFileSync(join(folder, 'CloudTrail-Digest', 'x.json'), '{}');
    writeFileSync(join(folder, 'digest.json'), '{"digestStartTime":"2026-03-01T12:00:00Z","logFiles":[]}');
    const { row } = await reconcile(logOf(), { events: [folder], ...SAID });
    expect(row).toMatchObject({ verdict: 'expired_without_reuse' });
  });

  test('that are not there are an error before anything is read', async () => {
    const error = await errorOf(() => reconcile(logOf(), { events: [join(tempDir(), 'gone')] }));
    expect(error).toMatchObject({
      code: 'ERR_EVENTS_UNREADABLE',
      message: expect.stringMatching(/gone" can't be read \(ENOENT\)$/),
    });
  });

  test('are told in plain words, escaped', async () => {
    const log = logOf();
    const hostile = { userAgent: 'curl\u001b[2J\u202e/8', sourceIPAddress: '198.51.100.9' };
    const events = [trailOf([...CLEAN, invalidation(AFTER_RUN, hostile)])];
    expect(await auditReconcile(log.printed.context, { events })).toBe(1);
    const [heading, row, reuse] = log.printed.stdout().split('\n');
    expect(heading).toMatch(/^LEASE +CAPABILITY +RUN ENDED +CALLS +VERDICT$/);
    expect(row).toMatch(/^9f8c6b6a41d2e07c +publish-preview-build +2026-03-01 12:00:05Z +3 +reuse_detected$/);
    expect(reuse).toContain(
      `after the run: ${AFTER_RUN} cloudfront.amazonaws.com:CreateInvalidation succeeded in us-east-1 from 198.51.100.9 (curl\\u{1b}[2J\\u{202e}/8), event `,
    );
    expect(log.printed.stdout()).toMatch(/coverage_not_stated {2,}nobody says that the files are complete/);
    const shown = printing(log.stateDir);
    await auditShow(shown.context, { lease: LEASE_ID });
    expect(shown.stdout()).toMatch(
      /reconciled .*\n {2}held against CloudTrail: calls were made with the lease after its run\n {2}open: /,
    );
    expect(shown.stdout()).toContain(
      `${AFTER_RUN} cloudfront.amazonaws.com:CreateInvalidation succeeded, from 198.51.100.9`,
    );
    const listed = printing(log.stateDir);
    await auditList(listed.context, { event: 'reconciled' });
    expect(listed.stdout()).toMatch(/reconciled: reuse_detected\n$/);
  });

  test('hold no secret afterwards: neither a token of an answer nor one of the caller', async () => {
    const log = logOf();
    const printed = printing(log.stateDir, { json: true });
    const context = {
      ...printed.context,
      ambient: {
        ...printed.context.ambient,
        env: { ...printed.context.ambient.env, GITHUB_TOKEN: 'ghs_0123456789abcdef' },
      },
    };
    const leaky = invalidation(AFTER_RUN, { userAgent: 'curl ghs_0123456789abcdef' });
    await auditReconcile(context, { events: [trailOf([...CLEAN, leaky])] });
    const all = printed.stdout() + printed.stderr() + JSON.stringify(log.last());
    expect(all).toContain('curl [capwrap:GITHUB_TOKEN]');
    expect(all).not.toMatch(/ghs_0123|SESSIONTOKEN/);
  });
});

describe('the leases', () => {
  const other = {
    lease_id: 'bbbbbbbbbbbbbbbb',
    access_key_id: 'ASIAOTHERLEASEEXAMPL',
    principal: PRINCIPAL.replace(SESSION, 'agent-b'),
  };

  test('are those of AWS with a recorded credential; the rest is counted', async () => {
    const jwt: AuditFields = { event: 'issued', lease_id: 'c'.repeat(16), provider: 'local-issuer' };
    const died: AuditFields = { ...GRANTED, lease_id: 'd'.repeat(16) };
    const unfit: AuditFields = {
      ...ISSUED_RECORD,
      ...NAMED,
      lease_id: 'e'.repeat(16),
      principal: 'somebody',
    };
    const log = logOf({}, [jwt, died, unfit, { ...ISSUED_RECORD, ...NAMED, ...other }]);
    const status = await auditReconcile(log.printed.context, { events: [trailOf(CLEAN)], ...SAID });
    expect(status).toBe(1);
    expect(log.printed.stdout()).toMatch(
      /9f8c6b6a41d2e07c .*expired_without_reuse\n[\s\S]*bbbbbbbbbbbbbbbb .*not recorded .*unverifiable\n/,
    );
    expect(log.printed.stdout()).toMatch(/^d{16} {2}publish-preview-build {2}unverifiable: its run died, /m);
    expect(log.last()).toMatchObject({
      event: 'reconciled',
      lease_id: 'd'.repeat(16),
      capability: 'publish-preview-build',
      verdict: 'unverifiable',
      provisional: false,
      reasons: ['no_credential_recorded'],
    });
    expect(log.printed.stderr()).toBe(
      [
        'capwrap: warning: lines that are no record of a lease: 1; see capwrap audit verify',
        "AWS leases without a recorded credential, which can't be looked for: 1",
        'in the log, leases of other providers, which CloudTrail does not know: 1',
        '',
      ].join('\n'),
    );
  });

  test.each<[string, AuditReconcileOptions, readonly string[]]>([
    ['--lease', { lease: 'bbb' }, [other.lease_id]],
    ['--since', { since: '2026-03-01T12:00:04Z' }, [other.lease_id]],
    ['--until', { until: '2026-03-01T12:00:04Z' }, [LEASE_ID]],
  ])('are narrowed by %s', async (_option, options, expected) => {
    const log = logOf({}, [{ ...ISSUED_RECORD, ...NAMED, ...other }]);
    const { rows } = await reconcile(log, { events: [trailOf(CLEAN)], ...options });
    expect(rows.map((row) => row['lease_id'])).toEqual(expected);
  });

  test('without a recorded credential are not passed over in silence', async () => {
    const died: AuditFields = { ...GRANTED, lease_id: 'd'.repeat(16) };
    const log = logOf({}, [died]);
    const found = (options: AuditReconcileOptions) =>
      reconcile(log, { events: [trailOf(CLEAN)], ...SAID, dryRun: true, ...options });
    const unverifiable = await found({ failOn: 'unverifiable' });
    expect(unverifiable).toMatchObject({
      status: 1,
      stderr: "AWS leases without a recorded credential, which can't be looked for: 1\n",
    });
    expect(unverifiable.rows.map(({ verdict, reasons }) => [verdict, reasons])).toEqual([
      ['expired_without_reuse', []],
      ['unverifiable', ['no_credential_recorded']],
    ]);
    expect(await found({ until: '2026-03-01T12:00:04Z', failOn: 'unverifiable' })).toMatchObject({
      status: 0,
    });
  });

  test('without a recorded credential get their verdict once, when their grant is over', async () => {
    const died: AuditFields = { ...GRANTED, lease_id: 'd'.repeat(16) };
    const going: AuditFields = {
      ...GRANTED,
      lease_id: 'f'.repeat(16),
      deadline: new Date(Date.now() + 3_600_000).toISOString(),
    };
    const log = logOf({}, [died, going]);
    const ids = async (options: AuditReconcileOptions = {}) =>
      (await reconcile(log, { events: [trailOf(CLEAN)], ...SAID, ...options })).rows.map(
        (row) => row['lease_id'],
      );
    expect(await ids()).toEqual([LEASE_ID, died.lease_id]);
    expect(await ids()).toEqual([]);
    expect(await ids({ again: true })).toEqual([LEASE_ID, died.lease_id]);
  });

  describe('whose issue retention has removed', () => {
    const of = (event: AuditFields['event'], lease_id: string, more: Partial<AuditFields> = {}) => ({
      ...{ ...CLOSED, ...NAMED, lease_id },
      ...{ event, ...more },
    });
    const [closed, ended, refused, verdict, jwt] = ['c', 'e', '0', 'a', 'b'].map((digit) => digit.repeat(16));
    const rests: readonly AuditFields[] = [
      of('closed', closed ?? ''),
      of('lease_ended', ended ?? '', { reason: 'asked' }),
      of('closed', refused ?? '', { outcome: 'not_issued' }),
      of('reconciled', verdict ?? '', { verdict: 'expired_without_reuse', provisional: false, reasons: [] }),
      of('closed', jwt ?? '', { provider: 'local-issuer' }),
    ];
    const gone = (more: readonly AuditFields[] = []) => {
      const log = logOf({}, [...rests, ...more]);
      writeLog(log.stateDir, readFileSync(log.path, 'utf8').trimEnd().split('\n').slice(1));
      return log;
    };
    const idsOf = (rows: readonly Record<string, unknown>[]) => rows.map((row) => row['lease_id']);
    const files = { events: [trailOf(CLEAN)], ...SAID };

    test('are unverifiable, once, and counted', async () => {
      const log = gone();
      const first = await reconcile(log, { ...files, failOn: 'unverifiable' });
      expect(first.status).toBe(1);
      expect(first.rows.slice(1).map((row) => [row['lease_id'], row['verdict'], row['reasons']])).toEqual([
        [closed, 'unverifiable', ['issue_record_missing']],
        [ended, 'unverifiable', ['issue_record_missing']],
      ]);
      expect(first.stderr).toBe(
        "AWS leases whose issue the log does not have any more, which can't be looked for: 3\n",
      );
      expect(log.last()).toMatchObject({
        event: 'reconciled',
        lease_id: ended,
        capability: 'publish-preview-build',
        verdict: 'unverifiable',
        provisional: false,
        reasons: ['issue_record_missing'],
      });
      expect((await reconcile(log, files)).rows).toEqual([]);
      expect(idsOf((await reconcile(log, { ...files, again: true })).rows)).toEqual([
        LEASE_ID,
        closed,
        ended,
        verdict,
      ]);
    });

    test('are told in words', async () => {
      const log = gone();
      await auditReconcile(log.printed.context, files);
      expect(log.printed.stdout()).toMatch(
        /^c{16} {2}publish-preview-build {2}unverifiable: the record of its issue is not in the log any more: /m,
      );
    });

    test.each<[string, AuditReconcileOptions, readonly (string | undefined)[]]>([
      ['--lease', { lease: 'ee' }, [ended]],
      ['--since', { since: '2026-03-01T12:00:07Z' }, [ended]],
      ['--until', { until: '2026-03-01T12:00:06Z' }, [LEASE_ID, closed]],
    ])('are narrowed by %s, by what is there of them', async (_option, options, expected) => {
      expect(idsOf((await reconcile(gone(), { ...files, ...options })).rows)).toEqual(expected);
    });

    test('are none where the issue is there, but not in the time that is asked for', async () => {
      const { rows } = await reconcile(logOf(), { ...files, since: '2026-03-01T12:00:04Z' });
      expect(rows).toEqual([]);
    });
  });

  test('that are named and not there are an error', async () => {
    const events = [trailOf(CLEAN)];
    for (const options of [{ lease: 'abc' }, { lease: LEASE_ID, since: '2027-01-01' }])
      expect(await errorOf(() => reconcile(logOf(), { events, ...options }))).toMatchObject({
        code: 'ERR_USAGE',
        message: `"${options.lease}" is no lease of the audit log, or not of that time`,
      });
  });

  test('with a provisional or an open verdict are tried again', async () => {
    const log = logOf();
    const events = [trailOf(CLEAN)];
    await reconcile(log, { events });
    expect((await reconcile(log, { events, ...SAID })).row).toMatchObject({
      verdict: 'expired_without_reuse',
    });
  });
});

test.each<[string, AuditReconcileOptions]>([
  ['none', { lookup: true, profile: 'x' }],
  ['all', { lookup: true, profile: 'x', region: ['all'] }],
])('regions of a look-up must be named, and how to list them is said: %s', async (_what, options) => {
  expect(await errorOf(() => reconcile(logOf(), options))).toMatchObject({
    code: 'ERR_USAGE',
    hint: 'add --region for each; those that are enabled: aws ec2 describe-regions --query "Regions[].[RegionName]" --output text',
  });
});

test.each<[string, AuditReconcileOptions, string]>([
  ['no source', {}, 'name one source of events'],
  ['two sources', { events: ['x'], lookup: true }, 'name one source of events'],
  [
    'a region that is none',
    { events: ['x'], region: ['Frankfurt'] },
    '"--region Frankfurt" is no region of AWS',
  ],
  ['--only-regions alone', { events: ['x'], onlyRegions: true }, '"--only-regions" says'],
  ['--lookup with --complete', { lookup: true, complete: true }, '"--complete" is about files'],
  ['--lookup with --data-events', { lookup: true, dataEvents: true }, '"--data-events" is about files'],
  ['--lookup without a region', { lookup: true, profile: 'x' }, '"--lookup" asks one region at a time'],
  ['--lookup without a profile', { lookup: true, region: ['us-east-1'] }, '"--lookup" needs keys'],
  [
    '--profile with files',
    { events: ['x'], profile: 'x' },
    '"--profile", "--long-lived" and "--endpoint" belong to --lookup',
  ],
  [
    'an endpoint in clear',
    { lookup: true, region: ['us-east-1'], profile: 'x', endpoint: 'http://trail.test' },
    '"--endpoint" must be an https URL',
  ],
  ['a lease id that is none', { events: ['x'], lease: '../x' }, '"../x" is no lease id'],
  ['a time that is none', { events: ['x'], until: 'noon' }, '"--until noon" is neither'],
])('refuses %s', async (_what, options, message) => {
  const error = await errorOf(() => reconcile(logOf(), options));
  expect(error).toMatchObject({
    code: 'ERR_USAGE',
    message: expect.stringContaining(message),
    hint: expect.any(String),
  });
});

/** Two hours ago: LookupEvents reaches back 90 days only. */
const TODAY = Math.floor((Date.now() - 7_200_000) / 1000) * 1000;
const MOVED = TODAY - NOON;
const moved = (time: string) => new Date(Date.parse(time) + MOVED).toISOString();

describe('LookupEvents', () => {
  const CALLER = { accessKeyId: ID, secretAccessKey: SECRET, sessionToken: TOKEN };
  const CLEAN_THERE = [issue(), invalidation(IN_RUN), s3('PutObject', AFTER_RUN)];
  const NEXT = 'arn:aws:sts::123456789012:assumed-role/next/next';

  function recentLog(scope = ['cloudfront:CreateInvalidation']) {
    return logOf({ scope, expires_at: moved('2026-03-01T12:15:00Z') }, [], TODAY);
  }

  async function lookup(
    events: readonly RawEvent[],
    options: AuditReconcileOptions = {},
    log = recentLog(),
    trailOptions: Partial<TrailOptions> = {},
  ) {
    const there = events.map((event) => later(event, MOVED));
    const trail = await startTrail(there, { ...CALLER, ...trailOptions });
    const printed = printing(log.stateDir, { json: true });
    const { ambient } = printed.context;
    const env = {
      ...ambient.env,
      HOME: home({ credentials: `[audit]\n${KEYS}` }),
      AWS_PROFILE: 'other',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      AWS_REGION: 'nowhere',
    };
    const asked = {
      lookup: true,
      region: ['us-east-1', 'eu-west-1'],
      onlyRegions: true,
      profile: 'audit',
      endpoint: trail.url,
      paceMs: 0,
      ...options,
    };
    const run = () => auditReconcile({ ...printed.context, ambient: { ...ambient, env } }, asked);
    const row = () => JSON.parse(printed.stdout()) as Record<string, unknown>;
    return { trail, run, row, printed, log };
  }

  const ONE = { region: ['us-east-1'] };

  test('is asked by key, by session name and for the call that issued, in each region', async () => {
    const { trail, run, row, printed, log } = await lookup(CLEAN_THERE);
    expect(await run()).toBe(0);
    expect(row()).toMatchObject({
      verdict: 'expired_without_reuse',
      events_seen: 1,
      searched: { source: 'lookup', regions: ['us-east-1', 'eu-west-1'], stated: ['only_regions'] },
    });
    const queries = trail.asked.map(({ region, key, value }) => `${region} ${key} ${value}`).sort();
    expect(queries).toEqual(
      ['eu-west-1', 'us-east-1'].flatMap((region) => [
        `${region} AccessKeyId ${KEY}`,
        `${region} ResourceName ${KEY}`,
        `${region} Username ${SESSION}`,
      ]),
    );
    const all = printed.stdout() + printed.stderr() + JSON.stringify(log.last());
    expect([all.includes(SECRET), all.includes(TOKEN)]).toEqual([false, false]);
  });

  test('shows a reuse on any page, and what was obtained with the lease', async () => {
    const many = Array.from({ length: 9 }, (_, n) => invalidation(`2026-03-01T12:01:0${n}Z`));
    const obtained = withKey('ASIACHAINEDKEYEXAMPL', NEXT);
    const events = [
      issue(),
      chain(IN_RUN, 'ASIACHAINEDKEYEXAMPL', NEXT),
      ...many,
      call('ListUsers', LONG_AFTER, { ...obtained, eventSource: 'iam.amazonaws.com' }),
    ];
    const { run, row, trail } = await lookup(events, {}, undefined, { pageSize: 2 });
    expect(await run()).toBe(1);
    expect(row()).toMatchObject({
      verdict: 'reuse_detected',
      reuse_seen: 10,
      reasons: ['credentials_obtained'],
    });
    const followed = trail.asked.filter(({ value }) => value === 'ASIACHAINEDKEYEXAMPL');
    expect(followed.map(({ region }) => region).sort()).toEqual(['eu-west-1', 'us-east-1']);
  });

  test('never shows data events: with them in the scope nothing is concluded', async () => {
    const { run, row } = await lookup(CLEAN_THERE, {}, recentLog(['s3:PutObject']));
    expect(await run()).toBe(1); // the invalidation is outside this scope
    expect(row()).toMatchObject({
      verdict: 'unverifiable',
      reasons: ['data_events_not_recorded'],
      actions: { not_visible: ['s3:PutObject'], outside: ['cloudfront:CreateInvalidation'] },
    });
  });

  test('is asked again after a throttling', async () => {
    const { run, row, trail } = await lookup(CLEAN_THERE, { ...ONE, paceMs: 10 });
    trail.refuse(new Refusal(400, 'ThrottlingException', 'Rate exceeded'));
    expect(await run()).toBe(0);
    expect(row()).toMatchObject({ verdict: 'expired_without_reuse' });
    expect(trail.asked).toHaveLength(3);
  });

  test('is asked no faster than it takes', async () => {
    const { run, trail } = await lookup(CLEAN_THERE, { ...ONE, paceMs: undefined }, undefined, {
      perSecond: 2,
    });
    expect(await run()).toBe(0);
    expect([trail.asked.length, trail.throttled()]).toEqual([3, 0]);
  });

  test("goes by AWS's clock where that is behind", async () => {
    const { run, row } = await lookup(CLEAN_THERE, {}, undefined, {
      now: () => new Date(moved('2026-03-01T12:20:00Z')),
    });
    await run();
    expect(row()).toMatchObject({
      verdict: 'unverifiable',
      provisional: true,
      reasons: ['delivery_delay'],
      searched: { at: moved('2026-03-01T12:20:00Z') },
    });
  });

  test.each<[string, Refusal, string, RegExp, RegExp]>([
    [
      'no permission',
      new Refusal(
        400,
        'AccessDeniedException',
        'User: arn:aws:iam::123456789012:user/x is not authorized to perform: cloudtrail:LookupEvents',
      ),
      'ERR_PROVIDER_REFUSED',
      /^"profile:audit" \(arn:aws:iam::123456789012:user\/x\) may not look up events in us-east-1$/,
      /cloudtrail:LookupEvents/,
    ],
    [
      'an expired session',
      new Refusal(400, 'ExpiredTokenException', TOKEN),
      'ERR_SOURCE_INVALID',
      /holds a session that has expired$/,
      /sign in again/,
    ],
    [
      'an unknown key',
      new Refusal(400, 'UnrecognizedClientException', TOKEN),
      'ERR_SOURCE_INVALID',
      /holds keys that AWS does not know in us-east-1$/,
      /not enabled/,
    ],
    [
      'a wrong signature',
      new Refusal(400, 'InvalidSignatureException', TOKEN),
      'ERR_SOURCE_INVALID',
      /holds a secret access key that does not fit/,
      /look at the keys/,
    ],
    [
      'a region without it',
      new Refusal(400, 'OperationNotPermittedException', TOKEN),
      'ERR_PROVIDER_REFUSED',
      /^LookupEvents is not offered in us-east-1$/,
      /--events/,
    ],
    [
      'another error',
      new Refusal(400, 'InvalidTimeRangeException', TOKEN),
      'ERR_PROVIDER_REFUSED',
      /refused LookupEvents with InvalidTimeRangeException$/,
      /--events/,
    ],
    [
      'an error of the server',
      new Refusal(500, 'InternalFailure', TOKEN),
      'ERR_PROVIDER_UNAVAILABLE',
      /refused LookupEvents with InternalFailure$/,
      /again/,
    ],
    [
      'a code that is none',
      new Refusal(400, `x${SECRET}`),
      'ERR_PROVIDER_INVALID_RESPONSE',
      /answered 400 with something that is not CloudTrail's$/,
      /--endpoint/,
    ],
  ])(
    'that answers with %s is an error that says what to change',
    async (_what, refusal, code, message, hint) => {
      const { run, trail, log } = await lookup(CLEAN_THERE, ONE);
      trail.refuse(refusal);
      const error = await errorOf(run);
      expect(error).toMatchObject({
        code,
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      });
      const said = `${error.message} ${error.hint}`;
      expect([said.includes(SECRET), said.includes(TOKEN)]).toEqual([false, false]);
      expect(log.last()).toMatchObject({ event: 'closed' });
    },
  );

  test('that goes on throttling is given up on', async () => {
    const { run, trail } = await lookup(CLEAN_THERE, ONE);
    trail.refuse(...Array.from({ length: 6 }, () => new Refusal(400, 'ThrottlingException')));
    expect(await errorOf(run)).toMatchObject({
      code: 'ERR_PROVIDER_UNAVAILABLE',
      message: 'CloudTrail in us-east-1 is limiting the requests of this account',
    });
  });

  test.each([
    [
      'gone',
      { endpoint: 'http://127.0.0.1:9' },
      'ERR_PROVIDER_UNAVAILABLE',
      /^"127.0.0.1:9" refuses/,
      /--endpoint/,
    ],
    [
      'asked with a profile that is not there',
      { profile: 'gone' },
      'ERR_SOURCE_UNAVAILABLE',
      /^profile "gone" is/,
      /audit/,
    ],
  ])('that is %s is an error', async (_what, options, code, message, hint) => {
    const { run } = await lookup(CLEAN_THERE, { ...ONE, ...options });
    expect(await errorOf(run)).toMatchObject({
      code,
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
  });

  test('takes no long-lived key unless that is said', async () => {
    const log = recentLog();
    const { context } = printing(log.stateDir);
    const credentials = `[audit]\naws_access_key_id = ${LONG_LIVED_ID}\naws_secret_access_key = ${SECRET}\n`;
    const ambient = { ...context.ambient, env: { CAPWRAP_HOME: log.stateDir, HOME: home({ credentials }) } };
    const run = (longLived?: 'allow') =>
      auditReconcile(
        { ...context, ambient },
        { lookup: true, ...ONE, profile: 'audit', longLived, endpoint: 'http://127.0.0.1:9' },
      );
    expect(await errorOf(() => run())).toMatchObject({
      code: 'ERR_SOURCE_LONG_LIVED',
      hint: expect.stringContaining('--long-lived allow'),
    });
    expect(await errorOf(() => run('allow'))).toMatchObject({ code: 'ERR_PROVIDER_UNAVAILABLE' });
  });

  test('is not asked for what is older than 90 days', async () => {
    const { run, row, trail } = await lookup(CLEAN_THERE, {}, logOf({}, [], Date.parse('2020-01-01')));
    expect(await run()).toBe(0);
    expect(trail.asked).toEqual([]);
    expect(row()['reasons']).toContain('too_old');
  });
});
