/** `capwrap audit show LEASE`: one lease's story. */
import type { LogBook } from '../audit/log/book.ts';
import { parseRecord, type StoredRecord, textAt } from '../audit/record/stored-record.ts';
import { type Story, type StoryStep, tellStory } from '../audit/story/story.ts';
import { escapeText } from '../base/escape.ts';
import { CapwrapError } from '../errors.ts';
import type { CommandContext } from '../ui/context.ts';
import { withLog } from './audit-log.ts';

/** Prints a timeline in plain words; with `--json` the lease's records as they are. The start of an id is enough. */
export async function auditShow(
  context: CommandContext,
  options: { readonly lease: string },
): Promise<number> {
  const { lease } = options;
  if (!/^[\w-]{1,64}$/.test(lease))
    throw new CapwrapError('ERR_USAGE', `"${lease}" is no lease id`, { hint: LIST });
  const found = await withLog(context, (book) => findLeases(book, lease));
  if (found === null) return 1;
  const [id, lines] = chooseLease(found, lease);
  if (context.json) {
    await context.out(lines.map(({ line }) => `${line}\n`).join(''));
    return 0;
  }
  const story = tellStory(
    lines.map(({ record }) => record),
    new Date(),
  );
  await context.out(toText(context, id, story));
  return 0;
}

const LIST = 'capwrap audit list';

interface FoundLine {
  readonly line: string;
  readonly record: StoredRecord;
}

/** Looks at the bytes first: of a million lines only those that name the lease are parsed. */
function findLeases(book: LogBook, lease: string): Map<string, FoundLine[]> {
  const found = new Map<string, FoundLine[]>();
  const mark = Buffer.from(`"lease_id":"${lease}`);
  for (const { bytes } of book.lines()) {
    if (!bytes.includes(mark)) continue;
    const record = parseRecord(bytes);
    const id = record && textAt(record, 'lease_id');
    if (!record || !id?.startsWith(lease)) continue;
    const lines = found.get(id) ?? [];
    lines.push({ line: bytes.toString(), record });
    found.set(id, lines);
  }
  return found;
}

function chooseLease(found: ReadonlyMap<string, FoundLine[]>, lease: string): [string, FoundLine[]] {
  const exact = found.get(lease);
  if (exact) return [lease, exact];
  const [first, second] = found;
  if (!first)
    throw new CapwrapError('ERR_USAGE', `"${lease}" is in no record of the audit log`, { hint: LIST });
  if (second) {
    throw new CapwrapError('ERR_USAGE', `"${lease}" is the start of ${found.size} leases`, {
      hint: `capwrap audit show ${first[0]}, or: capwrap audit list --lease ${lease}`,
    });
  }
  return first;
}

function toText(context: CommandContext, id: string, story: Story): string {
  const { bold, dim, yellow } = context.colors.stdout;
  const width = Math.max(...story.subject.map(([label]) => label.length));
  const start = Date.parse(story.steps[0]?.timestamp ?? '');
  const lines = [bold(`lease ${escapeText(id)}`)];
  for (const [label, text] of story.subject) lines.push(`  ${dim(label.padEnd(width))}  ${escapeText(text)}`);
  for (const step of story.steps) {
    const title =
      step.event === 'unfinished'
        ? yellow('unfinished')
        : `${bold(escapeText(step.event))}  ${dim(whenOf(step, start))}`;
    lines.push('', title, ...step.said.map((sentence) => `  ${escapeText(sentence)}`));
  }
  return `${lines.join('\n')}\n`;
}

/** The time, and how long after the first record it was. */
function whenOf({ timestamp }: StoryStep, start: number): string {
  const after = (Date.parse(timestamp) - start) / 1000;
  return escapeText(after > 0 ? `${timestamp}  +${after.toFixed(3)} s` : timestamp);
}
