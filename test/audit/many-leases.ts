/** A log of as many leases as are wished for, with all that can happen to one: the same each time. */

import { type ChainHead, GENESIS, sealRecord } from '../../src/audit/log/chain.ts';
import { buildRecord } from '../../src/audit/record/build-record.ts';
import type { AuditFields } from '../../src/audit/record/record.ts';
import { CLOSED, DENIED, GRANTED, ISSUED_RECORD, STAMP } from './samples.ts';

const CAPABILITIES = [
  'publish-preview-build',
  'read-ci-artifacts',
  'read-staging-metrics',
  'rotate-cache-key',
];
const REPOS = ['acme/web-app', 'acme/api', 'acme/infra', 'acme/mobile'];
const ACTORS = ['claude-code', 'codex', 'cursor', 'github-actions', 'dana'];
const REASONS = ['no_rule_matched', 'denied_by_rule', 'justification_missing', 'limit_reached'];

interface Timed {
  readonly at: number;
  readonly fields: AuditFields;
}

/** Lines of a whole log: leases that start evenly between the two times (milliseconds), and overlap. */
export function* manyLeases(count: number, from: number, to: number): Generator<string> {
  const random = numbersFrom(7);
  const waiting: Timed[] = [];
  let head: ChainHead = GENESIS;
  const write = ({ at, fields }: Timed): string => {
    const sealed = sealRecord(buildRecord(fields, { ...STAMP, timestamp: new Date(at).toISOString() }), head);
    head = sealed.head;
    return sealed.line;
  };
  for (let lease = 0; lease < count; lease++) {
    const at = Math.round(from + ((to - from) * (lease + random())) / count);
    while (waiting[0] && waiting[0].at <= at) yield write(waiting.shift() as Timed);
    for (const record of recordsOf(lease, at, random)) insert(waiting, record);
  }
  for (const record of waiting) yield write(record);
}

function recordsOf(lease: number, at: number, random: () => number): Timed[] {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * random() * list.length)] as T;
  const id = (0x1000_0000_0000 + lease * 0x9e37).toString(16).padStart(16, '0');
  const expires_at = new Date(at + 900_000).toISOString();
  const subject = {
    lease_id: id,
    capability: pick(CAPABILITIES),
    repo: pick(REPOS),
    actor: pick(ACTORS),
    branch: `feat/${lease % 40}`,
    task_id: `task-${Math.floor(lease / 3)}`,
    environment: pick(['preview', 'staging', 'production']),
  };
  const dice = random();
  if (dice < 0.03) return [{ at, fields: { ...DENIED, ...subject, reason: pick(REASONS) } }];
  const approved =
    random() < 0.2
      ? ({
          approval: 'granted',
          approval_grade: pick(['ssh_key', 'terminal', 'ssh_key_touch'] as const),
          approver: 'dana@acme.test',
          approval_id: id.slice(4),
        } as const)
      : {};
  const lasted = Math.round(2_000 + random() ** 4 * 800_000);
  const granted = { at, fields: { ...GRANTED, ...subject, ...approved, deadline: expires_at } };
  const issued = {
    at: at + 240,
    fields: {
      ...ISSUED_RECORD,
      ...subject,
      ...approved,
      expires_at,
      access_key_id: `ASIA${id.toUpperCase()}`,
      session_name: `agent-${id}`,
      principal: `arn:aws:sts::123456789012:assumed-role/preview-deployer/agent-${id}`,
    },
  };
  const end = (change: Partial<AuditFields>): Timed => ({
    at: at + lasted,
    fields: {
      ...CLOSED,
      ...subject,
      ...approved,
      expires_at,
      child: { exit_code: random() < 0.1 ? 1 : 0, signal: null, duration_ms: lasted - 300 },
      ...change,
    },
  });
  if (dice < 0.032) return [granted, issued];
  if (dice < 0.034) {
    return [
      granted,
      issued,
      end({ outcome: 'expires', end_reason: 'leak', masked: { stdout: 3, stderr: 0 } }),
    ];
  }
  if (dice < 0.038) return [granted, issued, end({ outcome: 'revoke_failed', revocation: FAILED })];
  if (dice < 0.05) return [granted, issued, end({ outcome: 'revoked_unverified' })];
  return [granted, issued, end({ outcome: dice < 0.6 ? 'revoked_verified' : 'expires' })];
}

const FAILED = {
  outcome: 'revoke_failed',
  end: null,
  probe: null,
  error: 'the issuer answered 503',
} as const;

function insert(waiting: Timed[], record: Timed): void {
  const at = waiting.findIndex((other) => other.at > record.at);
  waiting.splice(at < 0 ? waiting.length : at, 0, record);
}

/** Mulberry32: numbers from 0 to 1, the same for the same seed. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
