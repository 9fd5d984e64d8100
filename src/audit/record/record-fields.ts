/** The fields that a record may have, in the order in which they are written, each by its type and bounds. */
import { APPROVAL_GRADES } from '../../base/approval-grade.ts';
import { MAP_TRUST_GRADES } from '../../base/map-trust.ts';
import { HANDLE_NAMES, OUTCOMES } from '../../broker/provider.ts';
import { FACT_NAMES, FACT_SOURCES } from '../../request/facts.ts';
import { DELIVERY_KINDS } from '../../runner/delivery.ts';
import { END_REASONS } from '../../runner/ending.ts';
import { TERMINAL_MODES } from '../../runner/outputs.ts';
import { type FieldRule, flag, listOf, number, oneOf, orNull, shape, text, texts } from './field-rules.ts';
import {
  OPEN_REASONS,
  REUSE_KINDS,
  REUSE_LISTED,
  SEARCH_SOURCES,
  STATEMENTS,
  VERDICTS,
} from './reconciled-record.ts';
import { AUDIT_EVENTS, type AuditFields } from './record.ts';

const SHORT = text(512);
const PATH = text(4096);

const ACTIONS = texts(4 * 1024);

const FACT = shape({
  value: orNull(text(512)),
  source: oneOf([...FACT_SOURCES, 'unknown']),
  from: text(256),
});

export const FIELDS = {
  event: oneOf(AUDIT_EVENTS),
  task_id: SHORT,
  actor: orNull(SHORT),
  repo: orNull(SHORT),
  branch: orNull(SHORT),
  commit: orNull(text(64)),
  environment: orNull(SHORT),
  capability: text(64),
  lease_id: text(64),
  provider: text(64),
  scope: texts(8 * 1024),
  ttl_seconds: number,
  approval: oneOf(['none', 'granted', 'denied']),
  outcome: oneOf(OUTCOMES),
  ttl_requested: number,
  approval_grade: oneOf(APPROVAL_GRADES),
  approval_id: text(64),
  asked_through: texts(4 * 1024),
  approver: SHORT,
  approver_key: text(1024),
  approval_uses: number,
  approval_until: text(64),
  said: text(1024),
  justification: orNull(text(4096)),
  facts: shape(Object.fromEntries(FACT_NAMES.map((name) => [name, FACT]))),
  map_path: PATH,
  map_sha256: text(64),
  map_trust: oneOf([...MAP_TRUST_GRADES, 'untrusted']),
  replaces_sha256: orNull(text(64)),
  widening: number,
  forgotten: flag,
  rule: orNull(SHORT),
  reason: text(64),
  command: texts(12 * 1024),
  command_path: orNull(PATH),
  cwd: PATH,
  deadline: text(64),
  expires_at: text(64),
  principal: SHORT,
  session_name: text(128),
  // The form of an id (IAM API reference, AccessKey): a secret key put here by mistake doesn't have it.
  access_key_id: text(128, /^[A-Z0-9]{16,128}$/),
  jti: text(128),
  // The form of a SHA-256 in base64, which no token has.
  hashed_token: text(64, /^[A-Za-z0-9+/]{43}=$/),
  source: SHORT,
  long_lived_source: flag,
  second_process: flag,
  clock_skew_seconds: number,
  owner: text(128),
  handle: shape(Object.fromEntries(HANDLE_NAMES.map((name) => [name, text(512)]))),
  delivery: listOf(oneOf(DELIVERY_KINDS)),
  parent_lease_id: text(64),
  child: shape({ exit_code: orNull(number), signal: orNull(text(16)), duration_ms: number }),
  masked: shape({ stdout: number, stderr: number }),
  unmasked: texts(1024),
  revocation: shape({
    outcome: oneOf(OUTCOMES),
    end: orNull(SHORT),
    probe: orNull(SHORT),
    error: orNull(text(1024)),
  }),
  time_limit_reached: flag,
  end_reason: oneOf(END_REASONS),
  terminal: oneOf(TERMINAL_MODES),
  error: shape({ code: text(64), message: text(4096) }),
  recovered: shape({ bytes: number, sha256: text(64), file: text(64) }),
  rotated: shape({
    file: text(64),
    first: number,
    last: number,
    bytes: number,
    log_id: text(16),
    resumed: flag,
  }),
  retired: shape({ file: text(64), first: number, last: number, bytes: number, hash: text(64) }),
  verdict: oneOf(VERDICTS),
  provisional: flag,
  reasons: listOf(oneOf(OPEN_REASONS), OPEN_REASONS.length),
  searched: shape({
    source: oneOf(SEARCH_SOURCES),
    regions: texts(2048),
    stated: listOf(oneOf(STATEMENTS)),
    from: text(64),
    until: text(64),
    at: text(64),
    tolerance_seconds: number,
  }),
  events_seen: number,
  reuse_seen: number,
  reuse: listOf(
    shape({
      kind: oneOf(REUSE_KINDS),
      time: text(64),
      event_id: text(64),
      event: text(256),
      region: text(64),
      address: text(256),
      agent: text(256),
      error: orNull(text(128)),
    }),
    REUSE_LISTED,
  ),
  actions: shape({
    used: ACTIONS,
    never_seen: ACTIONS,
    not_visible: ACTIONS,
    refused: ACTIONS,
    outside: ACTIONS,
    not_told: ACTIONS,
  }),
  seen_from: shape({ addresses: texts(1024), agents: texts(2048) }),
  state_override: text(1024),
} satisfies Record<keyof AuditFields, FieldRule>;
