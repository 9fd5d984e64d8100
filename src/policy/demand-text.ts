/** What a rule asks of an approval, and how much it allows, in the words of the map. */
import { formatDuration } from '../base/duration.ts';
import type { ApprovalDemand, Limits } from './capability.ts';

/** `grade=ssh_key count=2 …`: everything that steers who can approve what, values as they are (the edge escapes). */
export function demandWords(demand: ApprovalDemand): string[] {
  const words: [string, string | number | null][] = [
    ['grade', demand.grade],
    ['approvers', demand.approvers?.join('|') ?? (demand.kind === 'signed' ? 'any' : null)],
    ['count', demand.count === 1 ? null : demand.count],
    ['self_approval', demand.selfApproval],
    ['uses', demand.uses],
    ['for', formatDuration(demand.standsFor)],
    ['cooldown', demand.cooldown === 0 ? null : formatDuration(demand.cooldown)],
    ['max_per_hour', demand.perHour],
  ];
  return words.flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`]));
}

/** `per_hour=10 open=2`. */
export function limitWords({ perHour, perTask, open }: Limits): string[] {
  const words = [
    ['per_hour', perHour],
    ['per_task', perTask],
    ['open', open],
  ] as const;
  return words.flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`]));
}
