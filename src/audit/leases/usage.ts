/**
 * How often the rules of a capability were used, counted from the audit log.
 *
 * A use is a `granted` record of the rule, unless its `closed` says that nothing was issued. A lease is open from
 * `granted` to `closed` or `lease_ended`, or until its time is over.
 */
import type { RuleUsage } from '../../request/run-request.ts';
import { type LogBook, withBook } from '../log/book.ts';
import { type ChainHead, readLink, readSeq } from '../log/chain.ts';
import { type LogLine, readLines } from '../log/lines.ts';
import { gatherUses, type UsageQuery, type Use, withOlder } from './uses.ts';

/** A look at the log: with it, the next one reads only what has been appended since. */
export interface UsageLook {
  /** Last granted first. */
  readonly uses: readonly Use[];
  /** The log's last record then; null where its last line was none. */
  readonly upTo: ChainHead | null;
  /** Number of its first record; null where it wasn't told. */
  readonly begin: number | null;
}

export interface Counted {
  readonly usage: RuleUsage[];
  readonly look: UsageLook;
}

/** From the log at `path`; no use where there is none. Null where it can't be told. */
export async function readUsage(path: string, query: UsageQuery): Promise<Counted | null> {
  try {
    const now = new Date();
    const look = await withBook(path, (book) => lookAt(book, query, now));
    return look === null ? counted(NO_LOG, query, now) : counted(look, query, now);
  } catch {
    return null;
  }
}

const NO_LOG: UsageLook = { uses: [], upTo: null, begin: null };

/**
 * From the open log, as for a look under its lock. Reads what was appended since `before`, a look with the same query, where
 * the log still begins with the same record and has the one that was its last; else all that is needed. Null where it
 * can't be told.
 */
export function usageIn(
  book: LogBook,
  query: UsageQuery,
  before: UsageLook | null = null,
  now = new Date(),
): RuleUsage[] | null {
  try {
    const uses = (before && usesSince(book, query, before, now)) ?? lookAt(book, query, now).uses;
    return tally(uses, query, now);
  } catch {
    return null;
  }
}

/** From the lines of a log, last first; throws as `gatherUses`. */
export function countUsage(lines: Iterable<LogLine>, query: UsageQuery, now: Date): RuleUsage[] {
  return tally(gatherUses(lines, query, now).uses, query, now);
}

function lookAt(book: LogBook, query: UsageQuery, now: Date): UsageLook {
  let upTo: ChainHead | null | undefined;
  const noted = function* (lines: Iterable<LogLine>) {
    for (const line of lines) {
      if (upTo === undefined && line.ended) upTo = readLink(line.bytes);
      yield line;
    }
  };
  const begin = beginOf(book);
  const { uses } = gatherUses(noted(book.linesBackwards()), query, now);
  return { uses, upTo: upTo ?? null, begin };
}

/** Null where the look before can't be gone on from: the log lost its front, was replaced, or has a record that is too old. */
function usesSince(book: LogBook, query: UsageQuery, before: UsageLook, now: Date): readonly Use[] | null {
  const { upTo, begin, uses } = before;
  if (upTo === null || begin === null || beginOf(book) !== begin) return null;
  let isMet = false;
  const appended = function* () {
    for (const line of book.linesBackwards()) {
      if (line.ended && (readSeq(line.bytes) ?? Number.POSITIVE_INFINITY) <= upTo.seq) {
        isMet = readLink(line.bytes)?.hash === upTo.hash;
        return;
      }
      yield line;
    }
  };
  const fresh = gatherUses(appended(), query, now);
  return isMet && !fresh.old ? withOlder(fresh, uses) : null;
}

function beginOf({ archives, current }: LogBook): number | null {
  const [oldest] = archives;
  if (oldest !== undefined) return oldest.first;
  const [first] = readLines(current);
  return first === undefined ? null : readSeq(first.bytes);
}

function counted(look: UsageLook, query: UsageQuery, now: Date): Counted {
  return { usage: tally(look.uses, query, now), look };
}

const HOUR = 3_600_000;

/** For each rule with limits, what these ask for. */
function tally(uses: readonly Use[], { capability }: UsageQuery, now: Date): RuleUsage[] {
  const rules = capability.rules.filter(({ limits }) => limits !== null);
  const counts = new Map(rules.map(({ at }) => [at, { lastHour: 0, forTask: 0, open: 0 }]));
  for (const { rule, ofTask, grantedAt, deadline, later } of uses) {
    const count = counts.get(rule);
    if (count === undefined || later.notIssued) continue;
    // Written so that a time that is none counts.
    if (!(grantedAt <= now.getTime() - HOUR)) count.lastHour++;
    if (ofTask) count.forTask++;
    const over = Math.max(deadline, later.expiresAt ?? Number.NEGATIVE_INFINITY) <= now.getTime();
    if (!later.ended && !over) count.open++;
  }
  return rules.map(({ at, limits }) => {
    const { lastHour = null, forTask = null, open = null } = counts.get(at) ?? {};
    return {
      rule: at,
      lastHour: limits?.perHour == null ? null : lastHour,
      forTask: limits?.perTask == null ? null : forTask,
      open: limits?.open == null ? null : open,
    };
  });
}
