import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  OPEN_REASONS,
  type OpenReason,
  type Statement,
} from '../../../src/audit/record/reconciled-record.ts';
import {
  ACCOUNT,
  AFTER_RUN,
  BYSTANDER,
  CLEAN,
  call,
  chain,
  IN_RUN,
  invalidation,
  issue,
  LONG_AFTER,
  type RawEvent,
  SESSION,
  s3,
  withKey,
} from '../../issuers/cloudtrail/events.ts';
import { type Case, verdictOn } from './subject.ts';

const stated = (...statements: Statement[]) => ({ search: { stated: new Set(statements) } });
const without = (name: string) => CLEAN.filter((event) => event['eventName'] !== name);
const LOOKUP: Case = {
  lease: { scope: ['cloudfront:CreateInvalidation'] },
  search: { source: 'lookup', regions: ['us-east-1'], stated: new Set<Statement>(['only_regions']) },
};
const CHAINED = 'ASIACHAINEDKEYEXAMPL';
/** What the trail of a bucket's account is told of a caller from the lease's account. */
const ABROAD = {
  userIdentity: {
    type: 'AWSAccount',
    principalId: `AROAIDPPEZS35WEXAMPLE:${SESSION}`,
    accountId: ACCOUNT,
  },
  recipientAccountId: '999999999999',
  sharedEventID: '6f6f6f6f-0000-4000-8000-000000000001',
};
const NEXT = 'arn:aws:sts::210987654321:assumed-role/next/next';

test('expired_without_reuse takes all that the table asks for', () => {
  expect(verdictOn(CLEAN)).toMatchObject({
    verdict: 'expired_without_reuse',
    provisional: false,
    reasons: [],
    events_seen: 2,
    reuse_seen: 0,
    searched: { source: 'files', stated: ['complete', 'data_events'], tolerance_seconds: 5 },
    actions: { used: ['cloudfront:CreateInvalidation', 's3:PutObject'], never_seen: [], outside: [] },
    seen_from: { addresses: ['203.0.113.7'] },
  });
  expect(verdictOn(CLEAN, LOOKUP)).toMatchObject({ verdict: 'expired_without_reuse', reasons: [] });
});

const OPEN: readonly [OpenReason, readonly RawEvent[], Case][] = [
  ['not_expired', CLEAN, { search: { at: new Date('2026-03-01T12:10:00Z') } }],
  ['delivery_delay', CLEAN, { search: { at: new Date('2026-03-01T12:29:59Z') } }],
  ['run_end_unknown', CLEAN, { lease: { run: null } }],
  ['clock_unknown', CLEAN, { lease: { clockSkew: null } }],
  ['clock_unknown', [issue('2026-03-01T11:50:00Z'), ...CLEAN.slice(1)], {}],
  // Set forward or back in between, by more than any end of a run takes.
  [
    'clock_unknown',
    CLEAN,
    { lease: { run: { endedAt: new Date('2026-03-01T12:50:05Z'), hadChild: true, childMs: 3000 } } },
  ],
  [
    'clock_unknown',
    CLEAN,
    { lease: { run: { endedAt: new Date('2026-03-01T11:10:05Z'), hadChild: true, childMs: 3000 } } },
  ],
  ['calls_at_run_end', [...CLEAN, invalidation('2026-03-01T12:00:09Z')], {}],
  ['reuse_recorded_before', CLEAN, { lease: { reusedBefore: true } }],
  ['issue_not_seen', without('AssumeRole'), {}],
  ['issue_not_seen', [issue(undefined, { recipientAccountId: '210987654321' }), ...CLEAN.slice(1)], {}],
  ['coverage_not_stated', CLEAN, stated('data_events')],
  ['end_not_covered', without('DescribeRegions'), {}],
  [
    'end_not_covered',
    [...without('DescribeRegions'), { ...BYSTANDER, recipientAccountId: '210987654321' }],
    {},
  ],
  ['too_old', CLEAN, { ...LOOKUP, search: { ...LOOKUP.search, at: new Date('2026-06-01T12:00:00Z') } }],
  ['regions_not_searched', CLEAN, { search: { regions: ['us-east-1'] } }],
  ['regions_not_searched', CLEAN, { ...LOOKUP, search: { ...LOOKUP.search, stated: new Set() } }],
  ['global_region_not_searched', CLEAN, { ...LOOKUP, search: { ...LOOKUP.search, regions: ['eu-west-1'] } }],
  ['data_events_not_recorded', CLEAN, stated('complete')],
  ['data_events_not_recorded', without('PutObject'), {}],
  ['data_events_not_recorded', CLEAN, { ...LOOKUP, lease: {} }],
  ['data_events_not_recorded', CLEAN, { ...LOOKUP, lease: { scope: ['s3:Put*'] } }],
  ['data_events_not_recorded', CLEAN, { ...LOOKUP, lease: { scope: ['sqs:GetQueueUrl'] } }],
  ['recording_unknown', CLEAN, { ...LOOKUP, lease: { scope: ['kinesis:PutRecord'] } }],
  ['recording_unknown', CLEAN, { ...LOOKUP, lease: { scope: ['nosuch:Thing'] } }],
  ['scope_unknown', CLEAN, { lease: { scope: null } }],
  ['events_unreadable', CLEAN, { search: { unreadable: true } }],
  ['events_unreadable', [...CLEAN, { ...CLEAN[1], eventName: 'GetObject' }], {}],
  ['search_cut', CLEAN, { search: { cut: true } }],
  ['other_session_seen', [...CLEAN, invalidation(IN_RUN, withKey('ASIAANOTHERKEYEXAMPL'))], {}],
  [
    'service_acted_after_end',
    [...CLEAN, call('CreateStack', AFTER_RUN, { sourceIPAddress: 'cloudformation.amazonaws.com' })],
    {},
  ],
  [
    'service_acted_after_end',
    [...CLEAN, call('RotationSucceeded', AFTER_RUN, { eventType: 'AwsServiceEvent' })],
    {},
  ],
  [
    'service_acted_after_end',
    [issue(), BYSTANDER, s3('PutObject', IN_RUN, { sourceIPAddress: 'athena.amazonaws.com' })],
    { lease: { run: { endedAt: new Date('2026-03-01T12:00:05Z'), hadChild: false, childMs: null } } },
  ],
  [
    'credentials_obtained',
    [...CLEAN, call('GetAuthorizationToken', IN_RUN, { eventSource: 'ecr.amazonaws.com' })],
    {},
  ],
  ['credentials_obtained', [...CLEAN, chain(IN_RUN, CHAINED, NEXT)], {}],
  // An export can leave the answer out, and with it the key.
  ['credentials_obtained', [...CLEAN, { ...chain(IN_RUN, CHAINED, NEXT), responseElements: null }], {}],
  [
    'credentials_obtained',
    [...CLEAN, call('CreateAccessKey', IN_RUN, { eventSource: 'iam.amazonaws.com' })],
    {},
  ],
  [
    'credentials_obtained',
    [...CLEAN, call('GetAuthorizationToken', IN_RUN, { eventSource: 'ecr.amazonaws.com.cn' })],
    {},
  ],
];

test.each(OPEN)('%s keeps it open', (reason, events, how) => {
  const { verdict, reasons, provisional } = verdictOn(events, how);
  expect(reasons).toContain(reason);
  expect(verdict).toBe('unverifiable');
  expect(provisional).toBe(
    reason === 'not_expired' || reason === 'delivery_delay' || reasons.includes('not_expired'),
  );
});

test('every reason has a case', () => {
  const unsearchable = ['no_credential_recorded', 'issue_record_missing'];
  const searched = OPEN_REASONS.filter((reason) => !unsearchable.includes(reason));
  expect(new Set(OPEN.map(([reason]) => reason))).toEqual(new Set(searched));
});

describe('reuse', () => {
  test.each([
    ['after the run', 'after_run', [...CLEAN, invalidation(AFTER_RUN)], {}],
    [
      'refused, after the run',
      'after_run',
      [...CLEAN, s3('GetObject', AFTER_RUN, { errorCode: 'AccessDenied' })],
      {},
    ],
    ['without a key, under its name', 'after_run', [...CLEAN, invalidation(AFTER_RUN, withKey(''))], {}],
    [
      'with another key under its name',
      'other_session',
      [...CLEAN, invalidation(AFTER_RUN, withKey('ASIAANOTHERKEYEXAMPL'))],
      {},
    ],
    [
      "as the account of somebody else's bucket sees it",
      'after_run',
      [...CLEAN, s3('GetObject', AFTER_RUN, ABROAD)],
      {},
    ],
    [
      'seen from two accounts, as one',
      'after_run',
      [
        ...CLEAN,
        s3('GetObject', AFTER_RUN, ABROAD),
        s3('GetObject', AFTER_RUN, { sharedEventID: ABROAD.sharedEventID }),
      ],
      {},
    ],
    [
      'with what it obtained, as another account sees it',
      'obtained',
      [
        ...CLEAN,
        chain(IN_RUN, CHAINED, NEXT),
        invalidation(AFTER_RUN, {
          userIdentity: {
            type: 'AWSAccount',
            principalId: 'AROAOTHERROLEEXAMPLE:next',
            accountId: '210987654321',
          },
        }),
      ],
      {},
    ],
    [
      'with what it obtained',
      'obtained',
      [invalidation(AFTER_RUN, withKey(CHAINED, NEXT)), ...CLEAN, chain(IN_RUN, CHAINED, NEXT)],
      {},
    ],
    [
      'with what that obtained',
      'obtained',
      [
        invalidation(
          AFTER_RUN,
          withKey('ASIATHIRDKEYEXAMPLE1', 'arn:aws:sts::210987654321:assumed-role/third/third'),
        ),
        {
          ...chain(IN_RUN, 'ASIATHIRDKEYEXAMPLE1', NEXT),
          ...withKey(CHAINED, NEXT),
          eventID: '01234567-0123-0123-0123-012345678901',
        },
        ...CLEAN,
        chain(IN_RUN, CHAINED, NEXT),
      ],
      {},
    ],
    [
      'although no command was started',
      'no_child',
      CLEAN.slice(0, 2),
      { lease: { run: { endedAt: new Date('2026-03-01T12:00:05Z'), hadChild: false, childMs: null } } },
    ],
    [
      'whatever is open',
      'after_run',
      [invalidation(LONG_AFTER)],
      {
        lease: {
          clockSkew: null,
          run: { endedAt: new Date('2026-03-01T11:57:00Z'), hadChild: true, childMs: null },
        },
      },
    ],
  ] as const)('%s', (_what, kind, events, how) => {
    const { verdict, reuse } = verdictOn(events, how as Case);
    expect(verdict).toBe('reuse_detected');
    expect(reuse.map((event) => event.kind)).toEqual([kind]);
  });

  test('names the event', () => {
    const { reuse } = verdictOn([
      ...CLEAN,
      s3('GetObject', AFTER_RUN, { sourceIPAddress: '198.51.100.9', errorCode: 'AccessDenied' }),
    ]);
    expect(reuse).toEqual([
      {
        kind: 'after_run',
        time: AFTER_RUN,
        event_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        event: 's3.amazonaws.com:GetObject',
        region: 'us-east-1',
        address: '198.51.100.9',
        agent: expect.stringContaining('aws-cli'),
        error: 'AccessDenied',
      },
    ]);
  });

  test.each([
    ['within what two clocks can be apart', '2026-03-01T12:00:07Z', 0, 'expired_without_reuse'],
    ['behind that', '2026-03-01T12:00:08Z', 0, 'unverifiable'],
    ['at the end of the tolerance', '2026-03-01T12:00:10Z', 0, 'unverifiable'],
    ['behind it', '2026-03-01T12:00:11Z', 0, 'reuse_detected'],
    ['by a clock that was ahead', '2026-03-01T11:59:46Z', 24, 'reuse_detected'],
    ['by a clock that was behind', '2026-03-01T12:00:27Z', -20, 'expired_without_reuse'],
  ])('%s', (_what, time, clockSkew, verdict) => {
    expect(verdictOn([...CLEAN, invalidation(time)], { lease: { clockSkew } }).verdict).toBe(verdict);
  });

  test('of a session of that name in another account is none', () => {
    const userIdentity = { ...ABROAD.userIdentity, accountId: '210987654321' };
    expect(verdictOn([...CLEAN, s3('GetObject', AFTER_RUN, { ...ABROAD, userIdentity })])).toMatchObject({
      verdict: 'expired_without_reuse',
      events_seen: 2,
    });
  });

  test("is none within the time that the command took, by a clock that can't be set", () => {
    const run = { endedAt: new Date('2026-03-01T12:00:05Z'), hadChild: true, childMs: 50_000 };
    const during = invalidation('2026-03-01T12:00:45Z');
    expect(verdictOn([...CLEAN, during], { lease: { run } }).verdict).toBe('expired_without_reuse');
  });

  test('is not concluded where no end of the run is recorded', () => {
    const found = verdictOn([...CLEAN, invalidation(AFTER_RUN)], { lease: { run: null } });
    expect(found).toMatchObject({ verdict: 'unverifiable', reasons: ['run_end_unknown'], reuse: [] });
  });
});

describe('actions', () => {
  test('are compared with the scope', () => {
    const { actions } = verdictOn(
      [
        ...CLEAN,
        s3('ListObjects', IN_RUN),
        s3('HeadObject', IN_RUN, { errorCode: 'AccessDenied' }),
        s3('CreateMultipartUpload', IN_RUN),
        call('GetCallerIdentity', IN_RUN, { eventSource: 'sts.amazonaws.com' }),
        call('Unheard', IN_RUN, { eventSource: 'strange.amazonaws.com' }),
      ],
      {
        lease: {
          scope: [
            's3:Put*',
            'cloudfront:CreateInvalidation',
            'cloudfront:GetInvalidation',
            's3:DeleteObject',
          ],
        },
      },
    );
    expect(actions).toEqual({
      used: ['cloudfront:CreateInvalidation', 's3:ListBucket', 's3:PutObject'],
      never_seen: ['cloudfront:GetInvalidation', 's3:DeleteObject'],
      not_visible: [],
      refused: ['s3:GetObject'],
      outside: ['s3:ListBucket'],
      not_told: ['strange.amazonaws.com:Unheard'],
    });
  });

  test('that cannot be in what was searched are not called unseen', () => {
    const { actions } = verdictOn([issue(), invalidation(IN_RUN)], { ...LOOKUP, lease: {} });
    expect(actions).toMatchObject({ never_seen: [], not_visible: ['s3:PutObject'] });
  });

  test.each<[string, readonly string[], RawEvent, readonly string[], readonly string[]]>([
    [
      'of a service that shares its source and its names with another',
      ['application-autoscaling:*'],
      call('PutScalingPolicy', IN_RUN, {
        eventSource: 'autoscaling.amazonaws.com',
        additionalEventData: { service: 'application-autoscaling' },
      }),
      ['application-autoscaling:PutScalingPolicy'],
      [],
    ],
    [
      'of such a service, where the event leaves it out',
      ['application-autoscaling:PutScalingPolicy'],
      call('PutScalingPolicy', IN_RUN, { eventSource: 'autoscaling.amazonaws.com' }),
      ['application-autoscaling:PutScalingPolicy'],
      [],
    ],
    [
      'on versions, in a batch',
      ['s3:DeleteObjectVersion'],
      s3('DeleteObjects', IN_RUN),
      ['s3:DeleteObjectVersion'],
      [],
    ],
    [
      'on the tags of a version',
      ['s3:PutObjectVersionTagging'],
      s3('PutObjectTagging', IN_RUN, { requestParameters: { versionId: 'x' } }),
      ['s3:PutObjectVersionTagging'],
      [],
    ],
    [
      'on the tags of a version, without that being granted',
      ['s3:PutObjectTagging'],
      s3('PutObjectTagging', IN_RUN, { requestParameters: { versionId: 'x' } }),
      ['s3:PutObjectVersionTagging'],
      ['s3:PutObjectVersionTagging'],
    ],
    [
      'in a batch',
      ['sqs:SendMessage'],
      call('SendMessageBatch', IN_RUN, { eventSource: 'sqs.amazonaws.com' }),
      ['sqs:SendMessage'],
      [],
    ],
  ])('%s', (_what, scope, event, used, outside) => {
    const { actions } = verdictOn([...CLEAN, event], {
      lease: { scope: [...scope, 's3:PutObject', 'cloudfront:*'] },
    });
    const clean = ['cloudfront:CreateInvalidation', 's3:PutObject'];
    expect(actions).toMatchObject({
      used: expect.arrayContaining([...clean, ...used]),
      never_seen: outside.length > 0 ? scope : [],
      outside,
      not_told: [],
    });
  });

  test('that no event can have by name are not called unseen, nor what a copy reads', () => {
    const scope = ['s3:*Object', 'cloudfront:*', 'iam:PassRole', 's3:GetObject'];
    const { reasons, actions } = verdictOn([...CLEAN, s3('CopyObject', IN_RUN)], { lease: { scope } });
    expect(reasons).toEqual([]);
    expect(actions).toMatchObject({ never_seen: [], not_visible: ['iam:PassRole'], outside: [] });
  });

  test('of another version of an API, or of an object, are known', () => {
    const { actions } = verdictOn([
      call('UpdateFunctionCode20150331v2', IN_RUN, { eventSource: 'lambda.amazonaws.com' }),
      call('GetMetricData', IN_RUN, { eventSource: 'monitoring.amazonaws.com' }),
      s3('GetObject', IN_RUN, { requestParameters: { versionId: 'x' } }),
    ]);
    expect(actions.used).toEqual([
      'cloudwatch:GetMetricData',
      'lambda:UpdateFunctionCode',
      's3:GetObjectVersion',
    ]);
  });

  test('taken by a service for the lease are used, and not held against it', () => {
    const { actions, seen_from } = verdictOn([
      ...CLEAN,
      call('Decrypt', IN_RUN, { eventSource: 'kms.amazonaws.com', sourceIPAddress: 's3.amazonaws.com' }),
    ]);
    expect(actions).toMatchObject({ outside: [], used: expect.arrayContaining(['kms:Decrypt']) });
    expect(seen_from.addresses).toEqual(['203.0.113.7']);
  });
});

describe('whatever the events', () => {
  const TIMES = [IN_RUN, '2026-03-01T12:00:09Z', AFTER_RUN, '2026-03-01T12:20:00Z'];
  const event = fc.oneof(
    fc.constantFrom(...CLEAN),
    fc
      .tuple(fc.constantFrom(...TIMES), fc.constantFrom('CreateInvalidation', 'GetInvalidation'))
      .map(([time, name]) => call(name, time)),
    fc.constantFrom(...TIMES).map((time) => invalidation(time, withKey('ASIAANOTHERKEYEXAMPL'))),
    fc.constantFrom(...TIMES).map((time) => chain(time, CHAINED, NEXT)),
    fc.constantFrom(...TIMES).map((time) => invalidation(time, withKey(CHAINED, NEXT))),
  );
  const how = fc.record({
    lease: fc.record({
      clockSkew: fc.constantFrom(null, 0, 3, -400),
      run: fc.constantFrom(null, {
        endedAt: new Date('2026-03-01T12:00:05Z'),
        hadChild: true,
        childMs: null,
      }),
      scope: fc.constantFrom(null, ['s3:PutObject'], ['cloudfront:CreateInvalidation'], ['kinesis:*']),
    }),
    search: fc.record({
      source: fc.constantFrom('files' as const, 'lookup' as const),
      regions: fc.subarray(['us-east-1', 'eu-west-1']),
      stated: fc.subarray<Statement>(['complete', 'only_regions', 'data_events']).map((all) => new Set(all)),
      at: fc.constantFrom(new Date('2026-03-01T12:10:00Z'), new Date('2026-03-01T13:00:00Z')),
      unreadable: fc.boolean(),
      cut: fc.boolean(),
    }),
  });

  test('order and repetition change nothing', () => {
    fc.assert(
      fc.property(
        fc
          .array(event, { maxLength: 12 })
          .chain((events) =>
            fc.tuple(
              fc.constant(events),
              fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 }),
            ),
          ),
        how,
        ([events, shuffled], each) => {
          expect(verdictOn(shuffled, each)).toEqual(verdictOn(events, each));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('no verdict is clean while anything is open, and no call after the run is passed over', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 10 }), how, (events, each) => {
        const { verdict, reasons, reuse } = verdictOn(events, each);
        if (reasons.length > 0) expect(verdict).not.toBe('expired_without_reuse');
        expect(verdict === 'reuse_detected').toBe(reuse.length > 0);
        if (verdict !== 'expired_without_reuse') return;
        expect(each.lease.clockSkew).not.toBeNull();
        expect(each.lease.run).not.toBeNull();
        expect(events).toContainEqual(issue());
        expect(each.search.at).toEqual(new Date('2026-03-01T13:00:00Z'));
      }),
      { numRuns: 200 },
    );
  });
});
