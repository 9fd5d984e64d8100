/** `capwrap approvals`: what waits for an answer, and how the others ended. */

import { knownRequest } from '../approval/bring.ts';
import { type ApprovalRequest, requestText } from '../approval/request.ts';
import { type Standing, standingOf } from '../approval/status.ts';
import { type ApprovalStore, openApprovals } from '../approval/store.ts';
import { formatDuration } from '../base/duration.ts';
import { escapeText, toJson } from '../base/escape.ts';
import { CapwrapError } from '../errors.ts';
import type { CommandContext } from '../ui/context.ts';
import { openStateFor } from '../ui/open-state.ts';
import { type AskedMap, mapOfRequest } from './approvals-map.ts';
import type { Command } from './command.ts';

export interface ApprovalsOptions {
  /** Those that are over, too. */
  readonly all?: boolean | undefined;
  /** Prints this request as it is instead. */
  readonly request?: string | undefined;
}

interface Row extends Standing {
  readonly request: ApprovalRequest;
}

/** Oldest first. Without `all`: what is pending, and what a run can still begin with. */
export const approvals: Command<ApprovalsOptions> = async (context, options) => {
  const { ambient } = context;
  const store = openApprovals(openStateFor(context).dir, ambient.uid);
  if (options.request !== undefined) {
    await context.out(requestText(knownRequest(store, options.request)));
    return 0;
  }
  const entries = store.ledger.read();
  const now = new Date();
  const mapOf = rememberingMaps(context);
  const rows: Row[] = store
    .ids()
    .flatMap((id) => readable(context, store, id))
    .map((request) => {
      const map = mapOf(request);
      const terms = map ?? { approvers: new Map() };
      return { request, ...standingOf(store, request, entries, terms, now) };
    })
    .filter(({ status }) => options.all || status === 'pending' || status === 'approved')
    .sort((a, b) => a.request.created_at.localeCompare(b.request.created_at));
  const text = rows.map((row) => rowText(row, now)).join('');
  await context.out(
    context.json ? `${toJson({ approvals: rows.map(rowJson) })}\n` : text || nothing(options),
  );
  return 0;
};

/** Reads each map once, however many requests were made on it. */
function rememberingMaps(context: CommandContext): (request: ApprovalRequest) => AskedMap | null {
  const known = new Map<string, AskedMap | null>();
  return (request) => {
    const { map_path, map_sha256, capability, rule } = request.binding;
    const key = JSON.stringify([map_path, map_sha256, capability, rule]);
    const map = known.get(key);
    if (map !== undefined) return map;
    const read = mapOfRequest(context, request);
    known.set(key, read);
    return read;
  };
}

/** One that is not what capwrap wrote must not hide the others. */
function readable(context: CommandContext, store: ApprovalStore, id: string): ApprovalRequest[] {
  try {
    const request = store.request(id);
    return request === null ? [] : [request];
  } catch (error) {
    if (!(error instanceof CapwrapError)) throw error;
    context.err(`capwrap: warning: ${escapeText(error.message)}`);
    return [];
  }
}

function nothing({ all }: ApprovalsOptions): string {
  return all ? 'nobody was asked for an approval\n' : 'nothing waits for an approval\n';
}

/** Two lines: how it stands, and what is asked for. */
function rowText({ request, status, uses, judgement }: Row, now: Date): string {
  const { binding, demand, id, created_at } = request;
  const age = formatDuration(Math.max(0, Math.round((now.getTime() - Date.parse(created_at)) / 1000)));
  const answers = `${judgement.counted.length} of ${demand.count} ${demand.count === 1 ? 'answer' : 'answers'}`;
  const used = judgement.approval ? `, used ${uses} of ${judgement.approval.terms.uses}` : '';
  const place = [binding.repo, binding.branch, binding.environment]
    .map((value) => value ?? 'unknown')
    .join(' ');
  const command = escapeText(binding.command.map((word) => JSON.stringify(word)).join(' '));
  const shown = command.length > 100 ? `${command.slice(0, 99)}…` : command;
  return (
    `${id}  ${status.padEnd(8)}  ${age} ago  ${escapeText(binding.capability)}  ${escapeText(binding.actor ?? 'unknown')}  ` +
    `${escapeText(place)}  ${demand.grade}, ${answers}${used}\n    ${shown}\n`
  );
}

function rowJson({ request, status, uses, judgement }: Row): object {
  return {
    id: request.id,
    status,
    uses,
    approval: judgement.approval,
    answers: judgement.counted,
    refused: judgement.refused,
    request,
  };
}
