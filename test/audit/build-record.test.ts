import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GENESIS, sealRecord } from '../../src/audit/log/chain.ts';
import { buildRecord, RECORD_FIELDS } from '../../src/audit/record/build-record.ts';
import { OPEN_REASONS, REUSE_LISTED, STATEMENTS } from '../../src/audit/record/reconciled-record.ts';
import type { AuditFields } from '../../src/audit/record/record.ts';
import type { Lease } from '../../src/broker/provider.ts';
import { CLOSED, STAMP, SUBJECT } from './samples.ts';

const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

const OF_LEASE = [
  'lease_id',
  'task_id',
  'actor',
  'repo',
  'capability',
  'provider',
  'principal',
  'session_name',
];
const ACTION_LISTS = ['used', 'never_seen', 'not_visible', 'refused', 'outside', 'not_told'];

/** As a defect would: around the types. */
const buildAnything = (fields: object) => buildRecord(fields as AuditFields, STAMP);

describe('the list of fields', () => {
  test('stands in the order of the specification, the chain last', () => {
    const record = buildRecord(CLOSED, { ...STAMP, repairedMode: '0644' });
    const keys = Object.keys(record);
    expect(keys.slice(0, 15)).toEqual([
      'timestamp',
      'event',
      'task_id',
      'actor',
      'repo',
      'branch',
      'commit',
      'environment',
      'capability',
      'lease_id',
      'provider',
      'scope',
      'ttl_seconds',
      'approval',
      'outcome',
    ]);
    expect(RECORD_FIELDS.filter((name) => keys.includes(name))).toEqual(keys);
    const sealed = JSON.parse(sealRecord(record, GENESIS).line) as object;
    expect(Object.keys(sealed).slice(-7)).toEqual([
      'repaired_mode',
      'host',
      'pid',
      'version',
      'seq',
      'prev',
      'hash',
    ]);
    expect(buildAnything(Object.fromEntries(Object.entries(CLOSED).reverse()))).toEqual(
      buildRecord(CLOSED, STAMP),
    );
    expect(Object.keys(buildAnything(Object.fromEntries(Object.entries(CLOSED).reverse())))).toEqual(
      keys.filter((key) => key !== 'repaired_mode'),
    );
  });

  test('leaves out what is undefined', () => {
    expect(buildAnything({ event: 'trusted', actor: undefined })).not.toHaveProperty('actor');
  });

  test.each([
    ['a field that is not on it', { event: 'issued', secret_access_key: SECRET }, 'secret_access_key'],
    ['a field of the prototype', { event: 'issued', toString: SECRET }, 'toString'],
    ['a field that the log adds', { event: 'issued', hash: SECRET }, 'hash'],
    ['a whole lease', { event: 'issued', lease: { values: { token: SECRET } } }, 'lease'],
    [
      'values under a field',
      { event: 'closed', revocation: { outcome: 'expires', token: SECRET } },
      'revocation.token',
    ],
    ['a fact that is none', { event: 'closed', facts: { token: { value: SECRET } } }, 'facts.token'],
    ['an unknown event', { event: SECRET }, 'event'],
    ['an unknown outcome', { event: 'closed', outcome: SECRET }, 'outcome'],
    ['an object for a text', { event: 'issued', principal: { value: SECRET } }, 'principal'],
    ['bytes for a text', { event: 'issued', jti: Buffer.from(SECRET) }, 'jti'],
    ['a list with an object in it', { event: 'issued', scope: [{ value: SECRET }] }, 'scope'],
    ['a text for a number', { event: 'issued', ttl_seconds: SECRET }, 'ttl_seconds'],
    ['no number', { event: 'issued', ttl_seconds: Number.NaN }, 'ttl_seconds'],
    ['a secret key as the access key id', { event: 'issued', access_key_id: SECRET }, 'access_key_id'],
  ])('refuses %s, and names it without its value', (_what, fields, name) => {
    const build = () => buildAnything(fields);
    expect(build).toThrowError(
      expect.objectContaining({
        code: 'ERR_INTERNAL',
        message: `"${name}" is no field of an audit record, or not of its type`,
      }),
    );
  });

  test('has no place for a lease in its types either', () => {
    const lease = { values: { token: { value: SECRET, secret: true } } } as unknown as Lease;
    // @ts-expect-error -- a lease is not a set of audit fields
    expect(() => buildRecord({ event: 'issued', ...lease }, STAMP)).toThrow('"values"');
    // @ts-expect-error -- nor is one of its values a text
    expect(() => buildRecord({ event: 'issued', principal: lease.values['token'] }, STAMP)).toThrow(
      '"principal"',
    );
  });
});

describe('long values', () => {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

  test('of a command are cut, and the cut says how long it was and what it hashes to', () => {
    const command = ['program', 'a'.repeat(100), ...Array.from({ length: 5000 }, (_, n) => `argument-${n}`)];
    const record = buildRecord({ ...CLOSED, command }, STAMP);
    const kept = record['command'] as string[];
    expect(kept.slice(0, 3)).toEqual(['program', 'a'.repeat(100), 'argument-0']);
    expect(JSON.stringify(kept).length).toBeLessThanOrEqual(12 * 1024 + 2);
    const whole = command.map((word) => `${word}\0`).join('');
    expect(record['cut']).toEqual({ command: { bytes: Buffer.byteLength(whole), sha256: sha256(whole) } });
  });

  test('of one word are cut inside it, between characters', () => {
    const word = '💾'.repeat(10_000);
    const record = buildRecord({ ...CLOSED, command: ['x', word], justification: 'ä'.repeat(5000) }, STAMP);
    expect((record['command'] as string[])[1]).toMatch(/^(💾){2000,3100}$/u);
    expect(record['justification']).toBe('ä'.repeat(2048));
    expect(record['cut']).toEqual({
      justification: { bytes: 10_000, sha256: sha256('ä'.repeat(5000)) },
      command: { bytes: 40_003, sha256: sha256(`x\0${word}\0`) },
    });
  });

  test('that just fit are kept whole', () => {
    expect(buildRecord({ event: 'closed', justification: 'a'.repeat(4096) }, STAMP)).not.toHaveProperty(
      'cut',
    );
  });

  test('lone surrogates become replacement characters', () => {
    expect(
      buildRecord({ event: 'closed', justification: 'a\ud800b', command: ['\udc00'] }, STAMP),
    ).toMatchObject({
      justification: 'a\ufffdb',
      command: ['\ufffd'],
    });
  });

  test('never make a line of 64 KiB', () => {
    const long = '\u2028'.repeat(20_000);
    const fact = { value: long, source: 'observed', from: long };
    const facts = Object.fromEntries(
      ['repo', 'branch', 'commit', 'commit_clean', 'environment', 'actor', 'ci'].map((name) => [name, fact]),
    );
    const texts = Object.fromEntries(
      Object.entries({
        ...SUBJECT,
        principal: '',
        approver: '',
        rule: '',
        reason: '',
        source: '',
        state_override: '',
      })
        .filter(([, value]) => typeof value === 'string')
        .map(([name]) => [name, long]),
    );
    const record = buildAnything({
      ...CLOSED,
      ...texts,
      map_trust: 'pinned',
      command_path: long,
      jti: long,
      session_name: long,
      approval_id: long,
      parent_lease_id: long,
      deadline: long,
      expires_at: long,
      facts,
      command: [long, long],
      scope: [long],
      unmasked: [long],
      child: { exit_code: null, signal: long, duration_ms: 1e300 },
      revocation: { outcome: 'expires', end: long, probe: long, error: long },
      error: { code: long, message: long },
      recovered: { bytes: 1, sha256: long, file: long },
    });
    expect(Buffer.byteLength(sealRecord(record, GENESIS).line)).toBeLessThan(64 * 1024);
  });

  test('never make one of a verdict, either', () => {
    const long = '\u2028'.repeat(20_000);
    const many = Array.from({ length: 40 }, () => long);
    const event = { time: long, event_id: long, event: long, region: long, address: long, agent: long };
    const record = buildAnything({
      ...Object.fromEntries(OF_LEASE.map((name) => [name, long])),
      event: 'reconciled',
      access_key_id: 'A'.repeat(128),
      verdict: 'reuse_detected',
      provisional: true,
      reasons: OPEN_REASONS,
      searched: {
        source: 'files',
        regions: many,
        stated: STATEMENTS,
        from: long,
        until: long,
        at: long,
        tolerance_seconds: 5,
      },
      reuse: Array.from({ length: REUSE_LISTED }, () => ({ kind: 'after_run', ...event, error: long })),
      actions: Object.fromEntries(ACTION_LISTS.map((name) => [name, many])),
      seen_from: { addresses: many, agents: many },
    });
    expect(Buffer.byteLength(sealRecord(record, GENESIS).line)).toBeLessThan(64 * 1024);
    expect(() => buildAnything({ event: 'reconciled', reuse: Array(REUSE_LISTED + 1).fill(event) })).toThrow(
      '"reuse"',
    );
  });

  test('hold for any words: what is kept is a start of what was given, and a cut is always said', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 4000 }), { maxLength: 12 }),
        (command) => {
          const record = buildRecord({ event: 'closed', command }, STAMP);
          const kept = record['command'] as string[];
          kept.forEach((word, at) => {
            const given = command[at] ?? '';
            if (at < kept.length - 1) expect(word).toBe(given);
            else expect(given.startsWith(word)).toBe(true);
          });
          const whole = kept.length === command.length && kept.at(-1) === command.at(-1);
          expect(Object.hasOwn(record, 'cut')).toBe(!whole);
        },
      ),
    );
  });
});
