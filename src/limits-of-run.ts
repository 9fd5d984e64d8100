/** The limits of a capability's rules: how often they were used, and the decision by that. */

import type { UsageLook } from './audit/leases/usage.ts';
import type { LogBook } from './audit/log/book.ts';
import { auditLogPath } from './audit/log/log.ts';
import type { StatePlace } from './base/state.ts';
import type { Capability } from './policy/capability.ts';
import type { Decision, Denial } from './policy/decision.ts';
import { evaluate } from './policy/evaluate.ts';
import { needsUsage } from './policy/limits.ts';
import type { MapFile } from './policy/map-file.ts';
import { callerSecrets } from './redact/caller-secrets.ts';
import type { RunRequest } from './request/run-request.ts';
import type { CommandContext } from './ui/context.ts';

/** A request before its usage is known. */
interface Undecided {
  readonly state: StatePlace;
  readonly file: MapFile;
  readonly capability: Capability;
  readonly request: RunRequest;
}

interface Decided {
  readonly request: RunRequest;
  readonly decision: Decision;
}

/** How often those of the capability's rules that have limits were used, for this map and task; null where it can't be told. */
export async function usageOf(
  context: CommandContext,
  asked: Undecided,
): Promise<{ readonly usage: RunRequest['usage']; readonly look: UsageLook | null } | null> {
  if (!needsUsage(asked.capability)) return { usage: [], look: null };
  const { readUsage } = await import('./audit/leases/usage.ts');
  return readUsage(auditLogPath(asked.state.dir), usageQuery(context, asked));
}

/**
 * The decision once more, for the moment in which a grant goes to the audit log: takes the locked log, reads what was
 * appended since the limits were counted, and answers null where the request is still allowed. Undefined where no rule of
 * the capability has limits.
 */
export async function lateDenial(
  context: CommandContext,
  situation: Undecided & { readonly usageLook: UsageLook | null },
): Promise<((book: LogBook) => Denial | null) | undefined> {
  if (!needsUsage(situation.capability)) return undefined;
  const { usageIn } = await import('./audit/leases/usage.ts');
  const query = usageQuery(context, situation);
  return (book) => {
    const { decision } = decided(situation, usageIn(book, query, situation.usageLook));
    return decision.effect === 'deny' ? decision : null;
  };
}

/** The decision for a request, by how often its rules were used. */
export function decided({ capability, request: asked }: Undecided, usage: RunRequest['usage']): Decided {
  const request = { ...asked, usage };
  return { request, decision: evaluate(capability, request) };
}

function usageQuery({ ambient }: CommandContext, { file, capability, request }: Undecided) {
  return { capability, mapPath: file.path, taskId: callerSecrets(ambient.env).mask(request.taskId) };
}
