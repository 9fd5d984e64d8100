/** The lines of the ledger: `use 2f6c0e9a7b11 2026-01-05T10:00:00.000Z 9f8c6b6a41d2e07c "deploy@/repo/capabilities.yaml"`. */
import { isExactTime } from '../base/exact-time.ts';

/** `ask`: a human was asked. `deny`: one said no. `end`: the run that asked is over. `use`: a run began with the approval. */
export const VERBS = ['ask', 'deny', 'end', 'use'] as const;
export type Verb = (typeof VERBS)[number];

export interface Entry {
  readonly verb: Verb;
  /** Of the request. */
  readonly id: string;
  /** RFC 3339, UTC. */
  readonly at: string;
  /** The capability and its map (`subjectKey`). */
  readonly subject: string;
  /** Of the run that it was for. */
  readonly lease: string;
  /** True for what a cut line may have been. */
  readonly doubtful: boolean;
}

/** Stands behind the rest of a line that a crash has cut. */
export const TORN_MARK = 'torn';

export function entryLine({ verb, id, at, subject, lease }: Omit<Entry, 'doubtful'>): string {
  return `${verb} ${id} ${at} ${lease} ${JSON.stringify(subject)}\n`;
}

export interface ParsedLedger {
  readonly entries: readonly Entry[];
  /** True where the last line was cut and nobody has said so yet. */
  readonly torn: boolean;
  /** Number of the first line that is none; null where all are. */
  readonly fault: number | null;
}

const LINE = /^(ask|deny|end|use) ([0-9a-f]{12}) (\S{24,27}) ([0-9a-f]{16}) ("(?:[^"\\]|\\.)*")$/;
const TORN_LINE = new RegExp(`^${TORN_MARK} (.{24})$`);

/**
 * What is no line is the rest of a cut one where a mark or the end of the file follows; anywhere else it is a fault. One
 * crash cuts one line, so more than one rest in a row can only be marks that were cut themselves.
 */
export function parseLedger(text: string): ParsedLedger {
  const lines = text.split('\n');
  const unended = lines.pop() ?? '';
  if (unended !== '') lines.push(unended);
  const entries: Entry[] = [];
  let rests: string[] = [];
  for (const [index, line] of lines.entries()) {
    const ended = index < lines.length - 1 || unended === '';
    const entry = ended ? parseLine(line) : null;
    const markedAt = ended ? timeOfMark(line) : null;
    if (rests.length > 0 && markedAt === null && !maybeCutMark(line)) {
      return { entries, torn: false, fault: index - rests.length + 1 };
    }
    if (entry !== null) {
      entries.push(entry);
    } else if (markedAt !== null) {
      entries.push(...mayHaveBeen(rests, markedAt, entries));
      rests = [];
    } else {
      rests.push(line);
    }
  }
  entries.push(...mayHaveBeen(rests, NOT_MARKED_YET, entries));
  return { entries, torn: rests.length > 0, fault: null };
}

/** Nobody knows when that was; a denial of the future is one of now (admission.ts), until a mark gives it a time. */
const NOT_MARKED_YET = '9999-12-31T23:59:59.999Z';

function timeOfMark(line: string): string | null {
  const at = TORN_LINE.exec(line)?.[1];
  return at !== undefined && isExactTime(at) ? at : null;
}

/** The beginning of a mark, or what a file system that lost the bytes themselves has in their place. */
function maybeCutMark(line: string): boolean {
  return (
    /^\0*$/.test(line) ||
    `${TORN_MARK} ${new Date(0).toISOString()}`.replace(/\d/g, '0').startsWith(line.replace(/\d/g, '0'))
  );
}

function parseLine(line: string): Entry | null {
  const match = LINE.exec(line);
  const [, verb, id = '', at = '', lease = '', subject = ''] = match ?? [];
  if (!isExactTime(at)) return null;
  try {
    return { verb: verb as Verb, id, at, lease, subject: JSON.parse(subject), doubtful: false };
  } catch {
    return null;
  }
}

/** Each use and each denial, of a request that had been asked by then, whose line begins like the rest of a cut one. */
function mayHaveBeen(rests: readonly string[], at: string, before: readonly Entry[]): Entry[] {
  const asked = before.filter((entry) => entry.verb === 'ask');
  return asked.flatMap(({ id, subject, lease }) =>
    (['deny', 'use'] as const)
      .filter((verb) => rests.some((rest) => begins(rest, `${verb} ${id} `)))
      .map((verb) => ({ verb, id, subject, lease, at, doubtful: true })),
  );
}

function begins(rest: string, line: string): boolean {
  return rest !== '' && (line.startsWith(rest) || rest.startsWith(line));
}
