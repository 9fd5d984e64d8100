/** Records and logs for the tests. */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bookOf } from '../../src/audit/log/book.ts';
import { bytesOfFile } from '../../src/audit/log/bytes.ts';
import { type ChainHead, GENESIS, sealRecord } from '../../src/audit/log/chain.ts';
import { buildRecord, type RecordStamp } from '../../src/audit/record/build-record.ts';
import type { AuditFields } from '../../src/audit/record/record.ts';
import { parseRecord, type StoredRecord } from '../../src/audit/record/stored-record.ts';

export const STAMP: RecordStamp = {
  timestamp: '2026-03-01T12:00:00.000Z',
  host: 'build-7',
  pid: 4711,
  version: '0.0.0-test',
};

const REPO = { value: 'acme/web-app', source: 'observed', from: '.git/config' } as const;
const UNKNOWN = { value: null, source: 'unknown', from: 'not asked' } as const;

/** What the records of one lease share. */
export const SUBJECT: Omit<AuditFields, 'event'> = {
  task_id: 'task-12',
  actor: 'claude-code',
  repo: 'acme/web-app',
  branch: 'feat/x',
  commit: '0123456789abcdef0123456789abcdef01234567',
  environment: 'preview',
  capability: 'publish-preview-build',
  lease_id: '9f8c6b6a41d2e07c',
  provider: 'aws-sts',
  scope: ['s3:PutObject', 'cloudfront:CreateInvalidation'],
  justification: 'preview of the new landing page',
  facts: {
    repo: REPO,
    branch: { value: 'feat/x', source: 'observed', from: '.git/HEAD' },
    commit: UNKNOWN,
    commit_clean: UNKNOWN,
    environment: { value: 'preview', source: 'claimed', from: '--environment' },
    actor: { value: 'claude-code', source: 'observed', from: 'CLAUDECODE' },
    ci: UNKNOWN,
  },
  map_path: '/home/dev/web-app/capabilities.yaml',
  map_sha256: 'ab'.repeat(32),
  map_trust: 'pinned',
  command: ['./scripts/publish-preview.sh', '--site', 'preview of x'],
  cwd: '/home/dev/web-app',
};

const TERMS = {
  rule: 'capabilities.publish-preview-build.rules[0]',
  ttl_seconds: 900,
  ttl_requested: 900,
  approval: 'none',
  approval_grade: 'none',
} as const;

const ISSUED = {
  expires_at: '2026-03-01T12:15:00.000Z',
  principal: 'arn:aws:sts::123456789012:assumed-role/preview-deployer/agent-9f8c6b6a41d2e07c',
  access_key_id: 'ASIAIOSFODNN7EXAMPLE',
} as const;

export const GRANTED: AuditFields = { event: 'granted', ...SUBJECT, ...TERMS };
export const ISSUED_RECORD: AuditFields = { event: 'issued', ...SUBJECT, ...TERMS, ...ISSUED };
export const CLOSED: AuditFields = {
  event: 'closed',
  ...SUBJECT,
  ...TERMS,
  ...ISSUED,
  outcome: 'expires',
  child: { exit_code: 0, signal: null, duration_ms: 3200 },
  masked: { stdout: 2, stderr: 0 },
};
/** The same of a command that kept its secret to itself. */
export const QUIET: AuditFields = { ...CLOSED, masked: { stdout: 0, stderr: 0 } };
export const DENIED: AuditFields = {
  event: 'denied',
  ...SUBJECT,
  lease_id: '1111111111111111',
  branch: 'main',
  approval: 'none',
  reason: 'no_rule_matched',
  rule: null,
  outcome: 'not_issued',
};

/** The lines of a whole log, one second apart. */
export function seal(records: readonly AuditFields[], start = Date.parse(STAMP.timestamp)): string[] {
  let head: ChainHead = GENESIS;
  return records.map((fields, at) => {
    const timestamp = new Date(start + at * 1000).toISOString();
    const sealed = sealRecord(buildRecord(fields, { ...STAMP, timestamp }), head);
    head = sealed.head;
    return sealed.line;
  });
}

/** Writes a log into a state directory and returns its path. */
export function writeLog(stateDir: string, lines: readonly string[]): string {
  const path = join(stateDir, 'audit.jsonl');
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
  return path;
}

/** The records of a whole log, archives included, in order. */
export function bookRecords(path: string): StoredRecord[] {
  const fd = openSync(path, 'r');
  try {
    return [...bookOf(path, bytesOfFile(fd)).lines()].map(({ bytes }) => parseRecord(bytes) ?? {});
  } finally {
    closeSync(fd);
  }
}

/** The records of one file of a log, in order. */
export function recordsOf(path: string): Record<string, unknown>[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
