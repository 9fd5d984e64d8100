import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GENESIS, sealRecord } from '../../src/audit/log/chain.ts';
import { RECORD_FIELDS } from '../../src/audit/record/build-record.ts';
import { AUDIT_EVENTS, type AuditFields } from '../../src/audit/record/record.ts';
import { parseRecord } from '../../src/audit/record/stored-record.ts';
import { batchesOf } from '../../src/audit/ship/batch.ts';
import { severityOf } from '../../src/audit/ship/severity.ts';
import { type ReceivedRecord, readRequest } from '../collector/otlp-shape.ts';
import { anyCharacter } from '../helpers/any-character.ts';
import { CLOSED, DENIED, GRANTED, seal } from './samples.ts';

/** What a collector reads of the request for one line. */
function received(line: string): ReceivedRecord {
  const record = parseRecord(Buffer.from(line)) ?? {};
  const unsent = { line: Buffer.from(line), record, head: { seq: 1, hash: '' }, missed: 0 };
  const [batch] = batchesOf([unsent], { records: 1, bytes: 1 }, null);
  const [read] = readRequest(batch?.body ?? '');
  if (!read) throw new Error('no record was sent');
  return read;
}

const lineOf = (fields: AuditFields): string => seal([fields])[0] ?? '';

test('a record becomes a log record that names what the conventions have names for', () => {
  const line = lineOf(CLOSED);
  const { resource, record, attributes } = received(line);
  expect(resource).toEqual({
    'service.name': 'capwrap',
    'service.version': '0.0.0-test',
    'host.name': 'build-7',
  });
  const { attributes: _, ...rest } = record;
  expect(rest).toEqual({
    timeUnixNano: '1772366400000000000',
    observedTimeUnixNano: '1772366400000000000',
    severityNumber: 9,
    severityText: 'INFO',
    eventName: 'capwrap.lease.closed',
    body: { stringValue: line },
  });
  expect(attributes).toMatchObject({
    'log.record.uid': (JSON.parse(line) as { hash: string }).hash,
    'capwrap.audit.seq': 1n,
    'capwrap.event': 'closed',
    'capwrap.lease_id': '9f8c6b6a41d2e07c',
    'capwrap.repo': 'acme/web-app',
    'vcs.owner.name': 'acme',
    'vcs.repository.name': 'web-app',
    'vcs.ref.head.name': 'feat/x',
    'vcs.ref.head.revision': '0123456789abcdef0123456789abcdef01234567',
    'process.command_args': ['./scripts/publish-preview.sh', '--site', 'preview of x'],
    'process.working_directory': '/home/dev/web-app',
    'process.exit.code': 0n,
    'capwrap.child.duration_ms': 3200n,
    'capwrap.scope': ['s3:PutObject', 'cloudfront:CreateInvalidation'],
    'capwrap.ttl_seconds': 900n,
    'capwrap.outcome': 'expires',
    'capwrap.masked.stdout': 2n,
    'capwrap.facts.repo.source': 'observed',
    'capwrap.pid': 4711n,
  });
  expect(Object.keys(attributes)).not.toContain('capwrap.prev');
  expect(attributes).not.toHaveProperty('capwrap.child.signal'); // null: the body has it
});

test.each(AUDIT_EVENTS)('the event %s has a name', (event) => {
  expect(received(lineOf({ event })).record.eventName).toMatch(
    /^capwrap\.(run|lease|approval|map|audit)\.[a-z]+$/,
  );
});

const severities: readonly [string, AuditFields, string][] = [
  ['a grant', GRANTED, 'INFO'],
  ['an end', CLOSED, 'INFO'],
  ['a denial', DENIED, 'WARN'],
  ['a human who said no', { event: 'approval_denied' }, 'WARN'],
  ['a torn line', { event: 'recovered', recovered: { bytes: 3, sha256: 'ab', file: 'x' } }, 'WARN'],
  [
    'a log whose file was gone',
    { event: 'rotated', rotated: { file: 'x', first: 1, last: 2, bytes: 3, log_id: 'ab', resumed: true } },
    'WARN',
  ],
  ['a run with a fault', { ...CLOSED, error: { code: 'ERR_TIME_LIMIT', message: 'time' } }, 'WARN'],
  ['a lease that could not be ended', { ...CLOSED, outcome: 'revoke_failed' }, 'ERROR'],
  ['a leak', { ...CLOSED, end_reason: 'leak' }, 'ERROR'],
];
test.each(severities)('the severity of %s', (_, fields, severity) => {
  expect(severityOf(parseRecord(Buffer.from(lineOf(fields))) ?? {})).toBe(severity);
});

describe('whatever stands in the log', () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 5 }),
    fc.string({ unit: anyCharacter }),
    fc.constantFrom(-0.5, 2 ** 60, 'x'.repeat(5000), '\ud800', '\u0000', ['a', 1], [[]], { '': 1 }),
  );
  const record = fc.dictionary(fc.constantFrom(...RECORD_FIELDS, '__proto__', 'secret', 'x y'), value);

  test('is sent in the right form, whole in the body, and by its known names alone', () => {
    fc.assert(
      fc.property(record, (fields) => {
        const { line } = sealRecord({ event: 'closed', ...fields }, GENESIS);
        if (!parseRecord(Buffer.from(line))) return;
        const { record, attributes, resource } = received(line);
        expect(record.body).toEqual({ stringValue: line });
        expect(Object.keys(resource).length).toBeLessThanOrEqual(3);
        for (const name of Object.keys(attributes)) {
          expect(name).toMatch(/^(?:capwrap|vcs|process|log|error)\./);
          expect(name).not.toContain('secret');
        }
      }),
      { numRuns: 150 },
    );
  });

  test.each([
    ['yesterday', undefined],
    ['+275760-09-13T00:00:00.000Z', undefined],
    ['1969-01-01T00:00:00Z', undefined],
    ['2026-03-01T12:00:00.001Z', '1772366400001000000'],
  ])('the time %s', (timestamp, expected) => {
    const { line } = sealRecord({ timestamp, event: 'granted' }, GENESIS);
    expect(received(line).record.timeUnixNano).toBe(expected);
  });

  test('an event of a later version has no name that could be wrong', () => {
    const { line } = sealRecord({ event: 'toString' }, GENESIS);
    expect(received(line)).toMatchObject({ attributes: { 'capwrap.event': 'toString' } });
    expect(received(line).record).not.toHaveProperty('eventName');
  });

  test('what can be no attribute is counted', () => {
    const { line } = sealRecord(
      { event: 'closed', child: { a: { b: { c: 1 } }, 'x y': 1 }, scope: [1] },
      GENESIS,
    );
    expect(received(line).record.droppedAttributesCount).toBe(3);
  });
});
