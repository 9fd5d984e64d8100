/** The figures of one capability in words. */

import type { CapabilityStats } from '../audit/leases/stats.ts';
import { formatSeconds } from '../audit/story/story-times.ts';
import { escapeText } from '../base/escape.ts';
import { plural } from '../base/plural.ts';
import type { CommandContext } from '../ui/context.ts';
import { shortTime } from './audit-table.ts';

/** A heading and a line per figure. Lines that would say nothing are left out. */
export function statsText(context: CommandContext, stats: CapabilityStats): string {
  const { bold, dim } = context.colors.stdout;
  const lines = [
    ['runs', runsText(stats)],
    ['denied', stats.denied.length > 0 ? `${total(stats.denied)}: ${countsText(stats.denied)}` : ''],
    ['lease end', countsText(stats.outcomes)],
    ['child', childText(stats)],
    ['leaks', leaksText(stats)],
    ['TTL asked', distributionText(stats.requested)],
    ['TTL granted', grantedText(stats)],
    ['TTL used', usedText(stats)],
    ['scope', scopeText(stats)],
    ['approvals', countsText(stats.approvals)],
    ['waited', distributionText(stats.waited)],
  ].flatMap(([label = '', text = '']) =>
    text === '' ? [] : [`  ${dim(label.padEnd(11))}  ${escapeText(text)}`],
  );
  return `${[bold(escapeText(stats.capability || 'no capability')), ...lines].join('\n')}\n`;
}

type Counts = CapabilityStats['denied'];

function runsText({ runs, unfinished, endedByOther, first, last }: CapabilityStats): string {
  return [
    `${runs}, from ${shortTime(first)} to ${shortTime(last)}`,
    ...(unfinished > 0 ? [`${unfinished} unfinished`] : []),
    ...(endedByOther > 0 ? [`${endedByOther} ended by another capwrap`] : []),
  ].join('; ');
}

function childText({ children, stopped }: CapabilityStats): string {
  return countsText(children) + (stopped > 0 ? `; stopped by capwrap ${stopped}` : '');
}

function leaksText({ leaks }: CapabilityStats): string {
  return leaks.runs === 0
    ? ''
    : `secrets in the output of ${plural(leaks.runs, 'run')}, masked ${plural(leaks.masked, 'time')}`;
}

function distributionText(numbers: CapabilityStats['used']): string {
  if (numbers === null) return '';
  const { min, median, p95, max } = numbers;
  if (min === max) return `${formatSeconds(max)} each time`;
  return `median ${formatSeconds(median)}, 95 % up to ${formatSeconds(p95)}, longest ${formatSeconds(max)}`;
}

function grantedText({ granted, shortened }: CapabilityStats): string {
  return distributionText(granted) + (shortened > 0 ? `; less than asked ${plural(shortened, 'time')}` : '');
}

/** Few runs say little of the next one. */
const ENOUGH_RUNS = 20;

/** From issue to end; where it holds for enough runs, against what each was granted. */
function usedText({ used, usedShare }: CapabilityStats): string {
  if (used === null || usedShare === null) return '';
  const { count, p95 } = usedShare;
  const fact =
    count >= ENOUGH_RUNS && p95 <= 0.5
      ? `; 95 % of ${count} runs used at most ${Math.ceil(p95 * 100)} % of the time they were granted`
      : '';
  return distributionText(used) + fact;
}

function scopeText({ scopes, runs }: CapabilityStats): string {
  const [most] = scopes;
  if (!most) return '';
  const words = most.scope.length === 0 ? 'none recorded' : most.scope.join(' ');
  return scopes.length === 1
    ? `the same in ${runs === 1 ? 'the one run' : `all ${runs} runs`}: ${words}`
    : `${scopes.length} different ones; in ${most.runs} of ${runs} runs: ${words}`;
}

function countsText(counts: Counts): string {
  return counts.map(([key, count]) => `${key} ${count}`).join(', ');
}

function total(counts: Counts): number {
  return counts.reduce((sum, [, count]) => sum + count, 0);
}
