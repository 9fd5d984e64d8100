/** `capwrap audit tail`: the latest records, and with `--follow` each new one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type BookLine, type LogBook, withBook } from '../audit/log/book.ts';
import { numberAt, parseRecord, type StoredRecord, textAt } from '../audit/record/stored-record.ts';
import { escapeJson, escapeText, escapeValue } from '../base/escape.ts';
import type { CommandContext } from '../ui/context.ts';
import { logPathOf, withLog } from './audit-log.ts';

export interface AuditTailOptions {
  readonly follow: boolean;
  /** How many of the latest records. */
  readonly last: number;
  /** Ends following; where it isn't given, the end of the process does. */
  readonly signal?: AbortSignal;
}

/**
 * Prints one line per record, oldest first; with `--json` the records as they are, without what is no record. 0; 1 where
 * there is no log, or where one of the latest lines is no record.
 */
export async function auditTail(context: CommandContext, options: AuditTailOptions): Promise<number> {
  let whole = true;
  const shown = await withLog(context, async (book) => {
    const lines = newerThan(null, book, options.last);
    for (const line of lines) whole = (await print(context, line)) && whole;
    return { last: lines.at(-1)?.bytes ?? null };
  });
  if (options.follow) await follow(context, shown?.last ?? null, options.signal);
  return (shown !== null && whole) || options.follow ? 0 : 1;
}

/**
 * The lines behind `last`, which tells itself from all others by its hash; at most `count`, the latest. All of them where
 * it isn't in the log any more. A line without its end is being written, or torn; it isn't shown.
 */
function newerThan(last: Buffer | null, book: LogBook, count = Number.POSITIVE_INFINITY): BookLine[] {
  const lines: BookLine[] = [];
  for (const line of book.linesBackwards()) {
    if (!line.ended) continue;
    if (lines.length >= count || last?.equals(line.bytes)) break;
    lines.push(line);
  }
  return lines.reverse();
}

/** Looks again and again: file watching isn't told of changes on every file system. */
async function follow(
  context: CommandContext,
  from: Buffer | null,
  signal: AbortSignal | undefined,
): Promise<void> {
  let last = from;
  let seen = '';
  const look = (book: LogBook): BookLine[] => {
    const state = `${book.current.size()} ${book.archives.length} ${book.archives.at(-1)?.name}`;
    if (state === seen) return [];
    seen = state;
    return newerThan(last, book);
  };
  while (!signal?.aborted) {
    for (const line of (await withBook(logPathOf(context), look)) ?? []) {
      await print(context, line);
      last = line.bytes;
    }
    await sleep(200, undefined, signal && { signal }).catch(() => undefined);
  }
}

/** False where the line is no record: whoever reads JSON gets none of it, and is told beside it. */
async function print(context: CommandContext, { bytes }: BookLine): Promise<boolean> {
  const record = parseRecord(bytes);
  if (record === null && context.json) context.err(`capwrap: warning: ${NO_RECORD}`);
  else await context.out(`${context.json ? escapeJson(bytes.toString()) : toText(context, record)}\n`);
  return record !== null;
}

const NO_RECORD = 'a line that is no record; see capwrap audit verify';

const SHOWN = [
  'lease_id',
  'capability',
  'actor',
  'repo',
  'branch',
  'environment',
  'approver',
  'reason',
  'outcome',
  'expires_at',
];

function toText(context: CommandContext, record: StoredRecord | null): string {
  const { bold, dim, red } = context.colors.stdout;
  if (record === null) return red(NO_RECORD);
  const child = textAt(record, 'child', 'signal') ?? numberAt(record, 'child', 'exit_code')?.toString();
  const pairs = [
    ...SHOWN.map((name) => [name, textAt(record, name)] as const),
    ['grade', gradeOf(record)] as const,
    ['child', child] as const,
    ['error', textAt(record, 'error', 'code')] as const,
    ['file', textAt(record, 'recovered', 'file')] as const,
    ['map', textAt(record, 'lease_id') === undefined ? textAt(record, 'map_path') : undefined] as const,
  ].flatMap(([name, value]) => (value === undefined ? [] : [`${dim(`${name}=`)}${escapeValue(value)}`]));
  const event = textAt(record, 'event') ?? '';
  const tint = event === 'denied' ? red : bold;
  return [
    dim(escapeText(textAt(record, 'timestamp') ?? '-')),
    tint(escapeText(event).padEnd(9)),
    ...pairs,
  ].join(' ');
}

/** How strongly somebody approved. */
function gradeOf(record: StoredRecord): string | undefined {
  const grade = textAt(record, 'approval_grade');
  return grade === 'none' ? undefined : grade;
}
