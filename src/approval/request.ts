/** A request for approval: what is asked for, by whom, until when an answer counts. It holds no secret. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import * as v from 'valibot';
import { APPROVAL_GRADES } from '../base/approval-grade.ts';
import { toJson } from '../base/escape.ts';
import type { ApprovalDemand } from '../policy/capability.ts';
import type { Binding } from './binding.ts';

export interface ApprovalRequest {
  /** Twelve hex digits, by which people name it. */
  readonly id: string;
  /** Makes the request one of a kind, so that an answer to one fits no other. */
  readonly nonce: string;
  /** RFC 3339, UTC. */
  readonly created_at: string;
  /** The last moment at which an answer is taken. RFC 3339, UTC. */
  readonly answer_by: string;
  readonly host: string;
  /** Of the run that asked. */
  readonly lease_id: string;
  /** What the rule asks of the answer; for people and their programs. The map decides when it is judged. */
  readonly demand: ApprovalDemand;
  readonly binding: Binding;
}

/** What is known of a request before what it is for is worked out: the nonce goes into that. */
export function newIdentity(): Pick<ApprovalRequest, 'id' | 'nonce'> {
  return { id: randomBytes(6).toString('hex'), nonce: randomBytes(16).toString('hex') };
}

export function newRequest(
  identity: Pick<ApprovalRequest, 'id' | 'nonce'>,
  about: Pick<ApprovalRequest, 'lease_id' | 'demand' | 'binding'>,
  now: Date,
  answerWithinMs: number,
): ApprovalRequest {
  return {
    ...identity,
    created_at: now.toISOString(),
    answer_by: new Date(now.getTime() + answerWithinMs).toISOString(),
    host: hostname().slice(0, 255),
    ...about,
  };
}

export function isRequestId(text: string): boolean {
  return /^[0-9a-f]{12}$/.test(text);
}

/** What a person types to answer: the end of the id, so that a habitual `y` approves nothing. */
export function answerWord({ id }: ApprovalRequest): string {
  return id.slice(-4);
}

/** Identifies a capability of a map among all requests of a state directory. */
export function subjectKey({ map_path, capability }: Pick<Binding, 'map_path' | 'capability'>): string {
  return `${capability}@${map_path}`;
}

/** The request in a file's text, as it is written: JSON with indentation, for people to read. */
export function requestText(request: ApprovalRequest): string {
  return `${toJson({ capwrap_request: 1, ...request }, 2)}\n`;
}

/** The request in a text; null where it isn't exactly one. */
export function parseRequest(text: string): ApprovalRequest | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const result = v.safeParse(SCHEMA, value);
  if (!result.success) return null;
  const { capwrap_request: _, ...request } = result.output;
  // What an approver signs is a function of the text, so there may be only one text for a request.
  return requestText(request) === text ? request : null;
}

const time = v.pipe(v.string(), v.isoTimestamp(), v.maxLength(40));
const hex = (digits: number) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${digits}}$`)));
const text = v.nullable(v.string());
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** As far as a date can be counted on from now. */
const seconds = v.pipe(count, v.maxValue(1_000_000_000));

const SCHEMA = v.strictObject({
  capwrap_request: v.literal(1),
  id: hex(12),
  nonce: hex(32),
  created_at: time,
  answer_by: time,
  host: v.string(),
  lease_id: hex(16),
  demand: v.strictObject({
    kind: v.picklist(['prompt', 'signed']),
    grade: v.picklist(APPROVAL_GRADES.filter((grade) => grade !== 'none')),
    approvers: v.nullable(v.array(v.string())),
    count,
    selfApproval: v.picklist(['allow', 'deny']),
    uses: count,
    standsFor: seconds,
    command: v.nullable(v.array(v.string())),
    cooldown: seconds,
    perHour: v.nullable(count),
  }),
  binding: v.strictObject({
    capability: v.string(),
    command: v.array(v.string()),
    cwd: v.string(),
    files: v.array(
      v.strictObject({
        path: v.string(),
        sha256: v.nullable(hex(64)),
        bytes: count,
        modified: v.nullable(time),
      }),
    ),
    folders: v.array(v.string()),
    env: v.record(v.string(), v.string()),
    stdin: v.string(),
    repo: text,
    branch: text,
    commit: text,
    commit_clean: text,
    environment: text,
    actor: text,
    sources: v.record(v.string(), v.string()),
    user: v.string(),
    task_id: v.string(),
    justification: text,
    provider: v.string(),
    target: v.string(),
    scope: v.array(v.string()),
    ttl_seconds: count,
    rule: v.string(),
    map_path: v.string(),
    map_sha256: hex(64),
  }),
});
