/** `capwrap audit tail`: the latest records, and with `--follow` each new one. */
import { fstatSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LogLine, readLines, readLinesBackwards, withLogOpen } from '../audit/log/read.ts';
import { numberAt, parseRecord, textAt } from '../audit/record/stored-record.ts';
import { escapeText, escapeValue } from '../base/escape.ts';
import type { CommandContext } from '../ui/context.ts';
import { logPathOf, withLog } from './audit-log.ts';

export interface AuditTailOptions {
  readonly follow: boolean;
  /** How many of the latest records. */
  readonly last: number;
  /** Ends following; where it isn't given, the end of the process does. */
  readonly signal?: AbortSignal;
}

/** Prints one line per record, oldest first; with `--json` the records as they are. */
export async function auditTail(context: CommandContext, options: AuditTailOptions): Promise<number> {
  const place = await withLog(context, async (fd) => {
    const { lines, end } = latestLines(fd, options.last);
    for (const line of lines) await print(context, line);
    return { inode: fstatSync(fd).ino, end };
  });
  if (options.follow) await follow(context, place ?? { inode: 0, end: 0 }, options.signal);
  return place === null && !options.follow ? 1 : 0;
}

/** Up to where a file has been printed. */
interface Place {
  readonly inode: number;
  readonly end: number;
}

/** A line without its end is being written, or torn; it isn't shown. */
function latestLines(
  fd: number,
  count: number,
): { readonly lines: readonly LogLine[]; readonly end: number } {
  const lines: LogLine[] = [];
  let end = 0;
  for (const line of readLinesBackwards(fd)) {
    if (!line.ended) continue;
    end = Math.max(end, line.next);
    if (lines.length >= count) break;
    lines.push(line);
  }
  return { lines: lines.reverse(), end };
}

/** Looks again and again: file watching isn't told of changes on every file system. */
async function follow(context: CommandContext, from: Place, signal: AbortSignal | undefined): Promise<void> {
  let place = from;
  while (!signal?.aborted) {
    await sleep(200, undefined, signal && { signal }).catch(() => undefined);
    place = (await withLogOpen(logPathOf(context), (fd) => printNew(context, fd, place))) ?? place;
  }
}

/** From the start where another file has taken the name, or this one has been cut. */
async function printNew(context: CommandContext, fd: number, from: Place): Promise<Place> {
  const { ino: inode, size } = fstatSync(fd);
  let end = inode === from.inode && size >= from.end ? from.end : 0;
  for (const line of readLines(fd, end)) {
    if (!line.ended) break;
    await print(context, line);
    end = line.next;
  }
  return { inode, end };
}

async function print(context: CommandContext, { bytes }: LogLine): Promise<void> {
  await context.out(`${context.json ? bytes.toString() : toText(context, bytes)}\n`);
}

const SHOWN = [
  'lease_id',
  'capability',
  'actor',
  'repo',
  'branch',
  'environment',
  'reason',
  'outcome',
  'expires_at',
];

function toText(context: CommandContext, bytes: Buffer): string {
  const { bold, dim, red } = context.colors.stdout;
  const record = parseRecord(bytes);
  if (record === null) return red('a line that is no record; see capwrap audit verify');
  const child = textAt(record, 'child', 'signal') ?? numberAt(record, 'child', 'exit_code')?.toString();
  const pairs = [
    ...SHOWN.map((name) => [name, textAt(record, name)] as const),
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
