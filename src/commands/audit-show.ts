/** `capwrap audit show LEASE`: one lease's story. */

import { numberAt, textAt } from '../audit/record/stored-record.ts';
import { findLeaseRecords, type LeaseRecord, type LeaseRecords } from '../audit/story/lease-records.ts';
import { type Story, type StoryStep, tellStory } from '../audit/story/story.ts';
import { escapeJson, escapeText } from '../base/escape.ts';
import { CapwrapError } from '../errors.ts';
import type { CommandContext } from '../ui/context.ts';
import { withLog } from './audit-log.ts';

/**
 * Prints a timeline in plain words; with `--json` the lease's records as they are. The start of an id is enough. 0, or 1
 * where the chain around one of the records is broken.
 */
export async function auditShow(
  context: CommandContext,
  options: { readonly lease: string },
): Promise<number> {
  const { lease } = options;
  if (!/^[\w-]{1,64}$/.test(lease))
    throw new CapwrapError('ERR_USAGE', `"${lease}" is no lease id`, { hint: LIST });
  const found = await withLog(context, (book) => findLeaseRecords(book, lease));
  if (found === null) return 1;
  const chosen = chooseLease(found, lease);
  const shown = [...chosen.approval, ...chosen.records];
  const broken = shown.filter((each) => each.broken !== null);
  if (context.json) {
    await context.out(chosen.records.map(({ line }) => `${escapeJson(line)}\n`).join(''));
    for (const each of broken) context.err(`capwrap: warning: ${escapeText(brokenText(each))}`);
  } else {
    const records = shown.map(({ record }) => record);
    await context.out(toText(context, chosen, tellStory(records, new Date())));
  }
  return broken.length > 0 ? 1 : 0;
}

const LIST = 'capwrap audit list';

function chooseLease(found: readonly LeaseRecords[], lease: string): LeaseRecords {
  const [first, second] = found;
  if (!first)
    throw new CapwrapError('ERR_USAGE', `"${lease}" is in no record of the audit log`, { hint: LIST });
  if (second) {
    throw new CapwrapError('ERR_USAGE', `"${lease}" is the start of ${found.length} leases`, {
      hint: `capwrap audit show ${first.lease}, or: capwrap audit list --lease ${lease}`,
    });
  }
  return first;
}

function toText(
  context: CommandContext,
  { lease, records, approval, inside }: LeaseRecords,
  story: Story,
): string {
  const { bold, dim, red, yellow } = context.colors.stdout;
  const subject =
    inside.length === 0 ? story.subject : [...story.subject, ['runs inside', inside.join(' ')] as const];
  const width = Math.max(...subject.map(([label]) => label.length));
  const start = Date.parse(story.steps[0]?.timestamp ?? '');
  const lines = [bold(`lease ${escapeText(lease)}`)];
  for (const [label, text] of subject) lines.push(`  ${dim(label.padEnd(width))}  ${escapeText(text)}`);
  for (const step of story.steps) {
    const title =
      step.event === 'unfinished'
        ? yellow('unfinished')
        : `${bold(escapeText(step.event))}  ${dim(whenOf(step, start))}`;
    lines.push('', title, ...step.said.map((sentence) => `  ${escapeText(sentence)}`));
  }
  const all = [...approval, ...records];
  const broken = all.filter((each) => each.broken !== null);
  lines.push('', bold('chain'));
  for (const each of broken) lines.push(`  ${red(escapeText(brokenText(each)))}`);
  if (broken.length === 0)
    lines.push(
      `  ${all.length === 1 ? 'the record has' : `each of the ${all.length} records has`} its hash and its place between its neighbours`,
    );
  lines.push('  the rest of the log was not checked: capwrap audit verify');
  return `${lines.join('\n')}\n`;
}

function brokenText({ record, broken }: LeaseRecord): string {
  return `the record "${textAt(record, 'event')}" (seq ${numberAt(record, 'seq') ?? 'unknown'}) is not to be trusted: ${broken}`;
}

/** The time, and how long after the first record it was. */
function whenOf({ timestamp }: StoryStep, start: number): string {
  const after = (Date.parse(timestamp) - start) / 1000;
  return escapeText(after > 0 ? `${timestamp}  +${after.toFixed(3)} s` : timestamp);
}
