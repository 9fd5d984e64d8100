/** What a reconciliation found, for people and for tools. */

import type { AwsLease } from '../audit/reconcile/lease.ts';
import { reasonWords } from '../audit/reconcile/reason-words.ts';
import type {
  OpenReason,
  Reconciliation,
  ReuseKind,
  ReuseRecord,
} from '../audit/record/reconciled-record.ts';
import { escapeText, toJson } from '../base/escape.ts';
import { columnsOf } from '../ui/columns.ts';
import type { CommandContext } from '../ui/context.ts';

export interface Reconciled {
  readonly lease: AwsLease;
  readonly reconciliation: Reconciliation;
}

type Mask = (text: string) => string;

/** One object, one line; here all events of a reuse are listed. */
export function toJsonLine({ lease, reconciliation }: Reconciled, recorded: boolean, mask: Mask): string {
  const { reuse, seen_from, ...rest } = reconciliation;
  return `${toJson({
    ...lease.facts,
    issued_at: lease.issuedAt.toISOString(),
    run_ended_at: lease.run?.endedAt.toISOString() ?? null,
    ...rest,
    reuse: reuse.map((event) => ({ ...event, agent: mask(event.agent) })),
    seen_from: { addresses: seen_from.addresses, agents: seen_from.agents.map(mask) },
    recorded,
  })}\n`;
}

const HEADINGS = ['LEASE', 'CAPABILITY', 'RUN ENDED', 'CALLS', 'VERDICT'];

/** A table, what there is to say of each lease below its row, and the reasons in words at the end. */
export function toText(context: CommandContext, found: readonly Reconciled[], mask: Mask): string {
  const { bold, green, red, yellow } = context.colors.stdout;
  const cells = found.map(toCells);
  const line = columnsOf(HEADINGS, cells);
  const lines = [bold(line(HEADINGS))];
  found.forEach(({ reconciliation }, at) => {
    const { verdict, actions } = reconciliation;
    const alarm = verdict === 'reuse_detected' || actions.outside.length > 0;
    const tint = alarm ? red : verdict === 'unverifiable' ? yellow : green;
    lines.push(
      tint(line(cells[at] ?? [])),
      ...details(reconciliation, mask).map((text) => `    ${escapeText(text)}`),
    );
  });
  const reasons = new Set(found.flatMap(({ reconciliation }) => reconciliation.reasons));
  return `${[...lines, ...legend(reasons)].join('\n')}\n`;
}

function toCells({ lease, reconciliation: { verdict, provisional, events_seen } }: Reconciled): string[] {
  const { leaseId, facts, run } = lease;
  return [
    escapeText(leaseId),
    escapeText(facts.capability ?? '-'),
    run === null
      ? 'not recorded'
      : run.endedAt
          .toISOString()
          .replace('T', ' ')
          .replace(/\.\d+Z$/, 'Z'),
    String(events_seen),
    provisional ? `${verdict}, provisional` : verdict,
  ];
}

const KIND_WORDS: Readonly<Record<ReuseKind, string>> = {
  after_run: 'after the run',
  no_child: 'although no command was started',
  other_session: 'after the run, with another key under its name',
  obtained: 'after the run, with a credential obtained with it',
};

const REUSE_SHOWN = 12;

function details({ reasons, reuse, actions, seen_from }: Reconciliation, mask: Mask): string[] {
  const list = (label: string, texts: readonly string[]) =>
    texts.length === 0
      ? []
      : [
          `${label}: ${texts.slice(0, 20).join(', ')}${texts.length > 20 ? `, and ${texts.length - 20} more` : ''}`,
        ];
  return [
    ...reuse.slice(0, REUSE_SHOWN).map((event) => sayReuse(event, mask)),
    ...(reuse.length > REUSE_SHOWN ? [`and ${reuse.length - REUSE_SHOWN} more; all of them: --json`] : []),
    ...list('used outside its scope', actions.outside),
    ...list('refused', actions.refused),
    ...list('used', actions.used),
    ...list('granted and never seen in what was searched', actions.never_seen),
    ...list('granted, and not visible in what was searched', actions.not_visible),
    ...list('events whose action is not told', actions.not_told),
    ...list('from', seen_from.addresses),
    ...list('with', seen_from.agents.map(mask)),
    ...list('open', reasons),
  ];
}

function sayReuse(
  { kind, time, event, event_id, region, address, agent, error }: ReuseRecord,
  mask: Mask,
): string {
  return `${KIND_WORDS[kind]}: ${time} ${event} ${error === null ? 'succeeded' : `failed with ${error}`} in ${region} from ${address} (${mask(agent)}), event ${event_id}`;
}

function legend(reasons: ReadonlySet<OpenReason>): string[] {
  if (reasons.size === 0) return [];
  const width = Math.max(...[...reasons].map((reason) => reason.length));
  return [
    '',
    'what keeps a verdict open:',
    ...[...reasons].map((reason) => `  ${reason.padEnd(width)}  ${reasonWords(reason)}`),
  ];
}
