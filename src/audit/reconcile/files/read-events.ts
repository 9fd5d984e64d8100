/** The events of one file: JSON by the line, or one JSON document over many lines. */
import { parseTrailEvent, type TrailEvent } from '../event.ts';
import { LONGEST_LINE, readLines, Unreadable } from './read-lines.ts';
import { partOf, unwrapEvents } from './unwrap.ts';

/** A place that could not be read, and why. */
export interface Fault {
  readonly path: string;
  /** Counted from 1; null for the file as such. */
  readonly line: number | null;
  readonly why: string;
}

/** From so many on, a file is no file of events. */
const MOST_FAULTS = 100;

/** Hands over each event of a file, and each fault; never throws for what is in it. */
export async function readEvents(
  path: string,
  onEvent: (event: TrailEvent) => void,
  onFault: (fault: Fault) => void,
): Promise<void> {
  let faults = 0;
  let events = 0;
  const fault = (line: number | null, why: string) => {
    faults++;
    onFault({ path, line, why });
    if (faults >= MOST_FAULTS) throw new Unreadable('has too many faults; the rest of it was not read');
  };
  const take = (text: string, line: number): boolean => {
    const value = parse(text);
    if (value === undefined) return false;
    for (const raw of unwrapEvents(value)) {
      const event = raw === null ? null : parseTrailEvent(raw);
      if (event === null) fault(line, 'holds something that is no CloudTrail event');
      else onEvent(event);
      events++;
    }
    const part = partOf(value);
    if (part !== null) fault(line, part);
    return true;
  };
  try {
    let document: { text: string; line: number }[] | null = null;
    let size = 0;
    let line = 0;
    for await (const bytes of readLines(path)) {
      line++;
      const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
      if (text.trim() === '') continue;
      if (document === null) {
        if (take(text, line)) continue;
        // A document that goes on over many lines begins like this; so does a line that is damaged.
        if (events > 0) fault(line, 'is no JSON of events');
        else document = [];
      }
      if (document === null) continue;
      document.push({ text, line });
      size += text.length;
      if (size > LONGEST_LINE)
        throw new Unreadable(
          'is one JSON document of more than 64 MiB; jq -c ".Records[]" makes lines of it',
        );
    }
    if (document !== null && !take(document.map(({ text }) => text).join('\n'), document[0]?.line ?? 1))
      for (const each of document) if (!take(each.text, each.line)) fault(each.line, 'is no JSON of events');
    if (events === 0 && line === 0) fault(null, 'is empty');
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    onFault({ path, line: null, why: error.message });
  }
}

function parse(text: string): unknown {
  if (text.length > UNJUDGED && isDeeperThan(DEEPEST, text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** So much takes bounded memory, however it is nested. */
const UNJUDGED = 4 * 1024 * 1024;
const DEEPEST = 200;

function isDeeperThan(limit: number, text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length && depth <= limit; at++) {
    const char = text[at];
    if (char === '"') {
      do at = text.indexOf('"', at + 1);
      while (at > 0 && isEscaped(text, at));
      if (at < 0) return false; // no JSON at all
    } else if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') depth--;
  }
  return depth > limit;
}

function isEscaped(text: string, quote: number): boolean {
  let from = quote;
  while (text[from - 1] === '\\') from--;
  return (quote - from) % 2 === 1;
}
