/** Requests, approvers and answers to test with. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Answer } from '../../src/approval/answer.ts';
import type { Binding } from '../../src/approval/binding.ts';
import { openLedger } from '../../src/approval/ledger.ts';
import type { ApprovalRequest } from '../../src/approval/request.ts';
import { APPROVAL_NAMESPACE, type ApprovalTerms, statementText } from '../../src/approval/statement.ts';
import type { ApprovalDemand, Approver } from '../../src/policy/capability.ts';
import { tempDir } from '../helpers/cli.ts';

export const uid = process.getuid?.() ?? -1;

export const DEMAND: ApprovalDemand = {
  kind: 'signed',
  grade: 'ssh_key',
  approvers: null,
  count: 1,
  selfApproval: 'allow',
  uses: 1,
  standsFor: 3600,
  command: null,
  cooldown: 0,
  perHour: null,
};

export const PROMPT: ApprovalDemand = { ...DEMAND, kind: 'prompt', grade: 'terminal' };

export const BINDING: Binding = {
  capability: 'deploy',
  command: ['./deploy.sh', '--env', 'staging'],
  cwd: '/repo',
  files: [{ path: '/repo/deploy.sh', sha256: 'f'.repeat(64), bytes: 123, modified: null }],
  folders: ['/repo/site'],
  env: { PATH: '/usr/bin:/bin', HOME: '/home/builder' },
  stdin: 'terminal',
  repo: 'acme/web-app',
  branch: 'main',
  commit: 'a'.repeat(40),
  commit_clean: 'true',
  environment: 'staging',
  actor: 'agent-7',
  sources: { repo: 'observed', branch: 'observed', commit: 'observed', actor: 'claimed' },
  user: 'builder',
  task_id: 'task-1',
  justification: 'roll out #42',
  provider: 'aws-sts',
  target: 'arn:aws:iam::123456789012:role/deployer',
  scope: ['s3:PutObject on arn:aws:s3:::acme/*'],
  ttl_seconds: 900,
  rule: 'capabilities.deploy.rules[0]',
  map_path: '/repo/capabilities.yaml',
  map_sha256: 'd'.repeat(64),
};

/** Asked at ten, to be answered until five past. */
export const REQUEST: ApprovalRequest = {
  id: '2f6c0e9a7b11',
  nonce: '0123456789abcdef0123456789abcdef',
  created_at: '2026-01-05T10:00:00.000Z',
  answer_by: '2026-01-05T10:05:00.000Z',
  host: 'laptop',
  lease_id: '9f8c6b6a41d2e07c',
  demand: DEMAND,
  binding: BINDING,
};

/** A minute after it was asked. */
export const NOW = new Date('2026-01-05T10:01:00.000Z');
export const TERMS: ApprovalTerms = { uses: 1, not_after: '2026-01-05T11:00:00.000Z' };

export function withBinding(change: Partial<Binding>, request = REQUEST): ApprovalRequest {
  return { ...request, binding: { ...request.binding, ...change } };
}

export function approversOf(...approvers: readonly Approver[]): ReadonlyMap<string, Approver> {
  return new Map(approvers.map((approver) => [approver.name, approver]));
}

/** Whatever makes an armored signature: a key of build-sk.ts. */
export type Sign = (message: string, namespace: string) => string;

export interface Signed {
  readonly request?: ApprovalRequest;
  readonly terms?: Partial<ApprovalTerms>;
  readonly namespace?: string;
}

export function signed(sign: Sign, options: Signed = {}): Answer & { kind: 'signed' } {
  const { request = REQUEST, terms = {}, namespace = APPROVAL_NAMESPACE } = options;
  const statement = statementText(request, { ...TERMS, ...terms });
  return { kind: 'signed', statement, signature: sign(statement, namespace) };
}

export function typed(user: string, options: Signed = {}): Answer & { kind: 'typed' } {
  const { request = REQUEST, terms = {} } = options;
  return { kind: 'typed', statement: statementText(request, { ...TERMS, ...terms }), user };
}

/** A private folder with an empty ledger. */
export function ledgerIn(folder = join(tempDir(), 'approvals')) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return { folder, path: join(folder, 'ledger'), ledger: openLedger(folder, uid) };
}

/** Any characters at all: controls, lone surrogates and those of the higher planes, more often those that trick readers. */
export const anyText = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0x10ffff }),
      fc.integer({ min: 0, max: 0xff }),
      fc.constantFrom(
        0x1b,
        0x202e,
        0x2066,
        0x200b,
        0xfeff,
        0x2028,
        0xd800,
        0xdfff,
        0x9b,
        0xad,
        0x3164,
        0xe0041,
      ),
    ),
    { maxLength: 12 },
  )
  .map((points) => String.fromCodePoint(...points));
