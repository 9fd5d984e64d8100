/** The events inside a JSON value, in the forms in which CloudTrail's events are handed out. */
import type { StoredRecord } from '../../record/stored-record.ts';

/**
 * `{"Records":[…]}` of a trail's files; `{"Events":[{"CloudTrailEvent":"…"}]}` of LookupEvents; an event by itself; the
 * same inside `CloudTrailEvent` or, as CloudTrail Lake selects it, `eventJson`; lists of these. Yields null for each thing
 * that is none, and nothing for a digest.
 */
export function* unwrapEvents(value: unknown, depth = 0): Generator<StoredRecord | null> {
  if (depth > DEEPEST) yield null;
  else if (Array.isArray(value)) for (const item of value) yield* unwrapEvents(item, depth + 1);
  else if (!isObject(value)) yield null;
  else if (has(value, 'eventID')) yield value;
  else if (Array.isArray(value['Records'])) yield* unwrapEvents(value['Records'], depth + 1);
  else if (Array.isArray(value['Events'])) yield* unwrapEvents(value['Events'], depth + 1);
  else if (Array.isArray(value['QueryResultRows'])) yield* unwrapEvents(value['QueryResultRows'], depth + 1);
  else if (has(value, 'CloudTrailEvent')) yield* unwrapText(value['CloudTrailEvent'], depth);
  else if (has(value, 'eventJson')) yield* unwrapText(value['eventJson'], depth);
  else if (!has(value, 'digestStartTime')) yield null;
}

const DEEPEST = 6;

/** Why an answer of LookupEvents or CloudTrail Lake doesn't hold all that was asked for; null where it may. */
export function partOf(value: unknown): string | null {
  if (!isObject(value) || has(value, 'eventID')) return null;
  if (has(value, 'NextToken') && value['NextToken'] !== null)
    return 'is one page of several: it has a NextToken';
  const status = value['QueryStatus'];
  return status === undefined || status === 'FINISHED'
    ? null
    : 'is the answer to a query that is not finished';
}

function* unwrapText(text: unknown, depth: number): Generator<StoredRecord | null> {
  try {
    yield* unwrapEvents(JSON.parse(String(text)), depth + 1);
  } catch {
    yield null;
  }
}

function isObject(value: unknown): value is StoredRecord {
  return value !== null && typeof value === 'object';
}

function has(value: StoredRecord, name: string): boolean {
  return Object.hasOwn(value, name);
}
