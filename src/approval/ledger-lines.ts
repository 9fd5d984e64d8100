/** The lines of the ledger: `use 2f6c0e9a7b11 2026-01-05T10:00:00.000Z deploy@/repo/capabilities.yaml 9f8c6b6a41d2e07c`. */

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

const LINE =
  /^(ask|deny|end|use) ([0-9a-f]{12}) (\d{4}-\d\d-\d\dT[\d:.]{8,12}Z) ([0-9a-f]{16}) ("(?:[^"\\]|\\.)*")$/;
const TORN_LINE = new RegExp(`^${TORN_MARK} (\\d{4}-\\d\\d-\\d\\dT[\\d:.]{8,12}Z)$`);

/** What is no line is the rest of a cut one where a mark or the end of the file follows; anywhere else it is a fault. */
export function parseLedger(text: string): ParsedLedger {
  const lines = text.split('\n');
  const unended = lines.pop() ?? '';
  const entries: Entry[] = [];
  let rests: string[] = [];
  for (const [index, line] of lines.entries()) {
    const entry = parseLine(line);
    const mark = TORN_LINE.exec(line);
    if (entry === null && mark === null) {
      rests.push(line);
    } else if (entry === null) {
      entries.push(...mayHaveBeen(rests, mark?.[1] ?? '', entries));
      rests = [];
    } else if (rests.length > 0) {
      return { entries, torn: false, fault: index };
    } else {
      entries.push(entry);
    }
  }
  if (unended !== '') rests.push(unended);
  entries.push(...mayHaveBeen(rests, new Date(0).toISOString(), entries));
  return { entries, torn: rests.length > 0, fault: null };
}

function parseLine(line: string): Entry | null {
  const match = LINE.exec(line);
  if (match === null) return null;
  const [, verb, id = '', at = '', lease = '', subject = ''] = match;
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
