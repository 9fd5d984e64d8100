/** `capwrap audit reconcile`: holds AWS leases against what CloudTrail recorded, and records a verdict on each. */
import { auditLogFor } from '../audit/open.ts';
import { judge } from '../audit/reconcile/judge.ts';
import type { AwsLease } from '../audit/reconcile/lease.ts';
import { reasonWords } from '../audit/reconcile/reason-words.ts';
import { awsLeases, type LeaseScan, type LeaseWindow } from '../audit/reconcile/scan.ts';
import {
  reconciledRecord,
  type UnsearchableReason,
  unsearchableVerdict,
  type Verdict,
} from '../audit/record/reconciled-record.ts';
import type { AuditLog } from '../audit/record/record.ts';
import { escapeText, toJson } from '../base/escape.ts';
import { CapwrapError } from '../errors.ts';
import type { IamActions } from '../policy/lint/iam-actions.ts';
import { readIamActions } from '../policy/lint/iam-file.ts';
import { callerSecrets } from '../redact/caller-secrets.ts';
import { SecretRegistry } from '../redact/registry.ts';
import type { CommandContext } from '../ui/context.ts';
import { openStateFor } from '../ui/open-state.ts';
import { withLog } from './audit-log.ts';
import type { ReconcileSearchOptions } from './reconcile-options.ts';
import { type Reconciled, toJsonLine, toText } from './reconcile-report.ts';
import { searchEach } from './reconcile-search.ts';
import { parseMoment } from './time-option.ts';

export interface AuditReconcileOptions extends ReconcileSearchOptions {
  /** The start of a lease id is enough. */
  readonly lease?: string | undefined;
  /** When the lease was issued: a date or time, or a duration back from now. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Also leases that have a final verdict. */
  readonly again?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
  readonly failOn?: FailOn | undefined;
}

type FailOn = 'reuse' | 'unverifiable' | 'never';

/**
 * Prints what was found, and appends a `reconciled` record for each lease as soon as it is judged. 0, or 1 where a lease
 * was used again or outside its scope (`--fail-on unverifiable`: also where that can't be told, or a lease can't even be
 * looked for), or where there is no log, or it has lines that are no record. Throws ERR_USAGE for a lease that the log doesn't have.
 */
export async function auditReconcile(
  context: CommandContext,
  options: AuditReconcileOptions,
): Promise<number> {
  const wanted = toWanted(options, new Date());
  const scan = await withLog(context, (book) => awsLeases(book, wanted));
  if (scan === null) return 1;
  assertFound(wanted, scan);
  const { leases, settled } = choose(scan, options.again ?? false);
  const secrets = new SecretRegistry();
  const ofCaller = callerSecrets(context.ambient.env);
  const mask = (text: string) => secrets.mask(ofCaller.mask(text));
  const found: Reconciled[] = [];
  const log = options.dryRun ? null : auditLogFor(context, openStateFor(context));
  let iam: IamActions | null = null;
  try {
    for await (const { lease, sightings, search } of searchEach(context, options, leases, secrets)) {
      iam ??= readIamActions();
      const reconciliation = judge(lease, sightings, search, iam);
      await log?.append(reconciledRecord(lease.facts, reconciliation, mask), { durable: true });
      found.push({ lease, reconciliation });
    }
  } finally {
    // Behind the records: a reader that is gone must not keep them from being written.
    await print(context, found, log !== null, mask);
  }
  await tellUnsearchable(context, scan, options.again ?? false, log);
  sayRest(context, scan, found.length, settled, log !== null);
  return isFailure(found, scan, options.failOn ?? 'reuse') || scan.unreadable > 0 ? 1 : 0;
}

async function print(
  context: CommandContext,
  found: readonly Reconciled[],
  recorded: boolean,
  mask: (text: string) => string,
): Promise<void> {
  if (context.json) for (const each of found) await context.out(toJsonLine(each, recorded, mask));
  else if (found.length > 0) await context.out(toText(context, found, mask));
}

function toWanted({ lease, since, until }: AuditReconcileOptions, now: Date): LeaseWindow {
  if (lease !== undefined && !/^[\w-]{1,64}$/.test(lease))
    throw new CapwrapError('ERR_USAGE', `"${lease}" is no lease id`, { hint: 'capwrap audit list' });
  return {
    lease: lease ?? '',
    since: parseMoment('--since', since, now),
    until: parseMoment('--until', until, now),
  };
}

/** A lease that is named and not there must not look like one with nothing against it. */
function assertFound({ lease }: LeaseWindow, scan: LeaseScan): void {
  const { leases, unsearchable, ofOthers, unreadable } = scan;
  if (lease === '' || leases.length + unsearchable.length + ofOthers + unreadable > 0) return;
  throw new CapwrapError('ERR_USAGE', `"${lease}" is no lease of the audit log, or not of that time`, {
    hint: `capwrap audit list --lease ${lease}`,
  });
}

/** Those to look at now, and how many more there are that have a final verdict. */
function choose({ leases }: LeaseScan, again: boolean): { leases: readonly AwsLease[]; settled: number } {
  const open = again ? leases : leases.filter(({ last }) => !isFinal(last));
  return { leases: open, settled: leases.length - open.length };
}

const FINAL: ReadonlySet<Verdict> = new Set(['expired_without_reuse', 'reuse_detected']);

function isFinal(last: AwsLease['last']): boolean {
  return last !== null && !last.provisional && FINAL.has(last.verdict);
}

/** A lease that can't be looked for has its verdict, too; one without a credential once its run can't record one any more. */
async function tellUnsearchable(
  context: CommandContext,
  { unsearchable }: LeaseScan,
  again: boolean,
  log: AuditLog | null,
): Promise<void> {
  const now = Date.now();
  for (const { facts, reason, until, told } of unsearchable) {
    if ((told && !again) || until.getTime() > now) continue;
    const found = unsearchableVerdict(reason);
    await log?.append({ event: 'reconciled', ...facts, ...found }, { durable: true });
    const row = { ...facts, ...found, recorded: log !== null };
    const words = `${facts.lease_id}  ${facts.capability ?? '-'}  ${found.verdict}: ${reasonWords(reason)}`;
    await context.out(`${context.json ? toJson(row) : escapeText(words)}\n`);
  }
}

function isFailure(found: readonly Reconciled[], scan: LeaseScan, failOn: FailOn): boolean {
  if (failOn === 'never') return false;
  if (failOn === 'unverifiable' && scan.unsearchable.length > 0) return true;
  return found.some(
    ({ reconciliation: { verdict, actions } }) =>
      verdict === 'reuse_detected' ||
      actions.outside.length > 0 ||
      (failOn === 'unverifiable' && verdict === 'unverifiable'),
  );
}

/** What was not looked at, so that nobody takes the answer for more than it is. */
function sayRest(
  context: CommandContext,
  { unsearchable, ofOthers, unreadable }: LeaseScan,
  found: number,
  settled: number,
  recorded: boolean,
): void {
  if (unreadable > 0)
    context.err(
      `capwrap: warning: lines that are no record of a lease: ${unreadable}; see capwrap audit verify`,
    );
  const count = (wanted: UnsearchableReason) => unsearchable.filter(({ reason }) => reason === wanted).length;
  const without = count('no_credential_recorded');
  const missing = count('issue_record_missing');
  if (without > 0 && !context.quiet)
    context.err(`AWS leases without a recorded credential, which can't be looked for: ${without}`);
  if (missing > 0 && !context.quiet)
    context.err(
      `AWS leases whose issue the log does not have any more, which can't be looked for: ${missing}`,
    );
  if (context.quiet || context.json) return;
  if (found === 0) context.err('no AWS lease is left to reconcile');
  if (settled > 0)
    context.err(`left out, because their verdict is final: ${settled}; to look again: --again`);
  if (ofOthers > 0)
    context.err(`in the log, leases of other providers, which CloudTrail does not know: ${ofOthers}`);
  if (found > 0 && !recorded) context.err('nothing was recorded: --dry-run');
}
