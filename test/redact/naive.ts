/** What masking means, written as plainly as possible: the model that the streaming masker is held against. */
import type { Needle } from '../../src/redact/redactor.ts';

export interface Group {
  start: number;
  end: number;
  longest: number;
  name: string;
}

/** The stretches of `text` that are to be replaced. */
export function groupsIn(text: Buffer, needles: readonly Needle[]): Group[] {
  const found: { start: number; end: number; name: string }[] = [];
  for (let start = 0; start < text.length; start++) {
    for (const { bytes, name } of needles) {
      const end = start + bytes.length;
      if (end <= text.length && text.subarray(start, end).equals(bytes)) found.push({ start, end, name });
    }
  }
  const groups: Group[] = [];
  for (const { start, end, name } of found) {
    const last = groups.at(-1);
    if (last === undefined || start >= last.end) {
      groups.push({ start, end, longest: end - start, name });
      continue;
    }
    last.end = Math.max(last.end, end);
    if (end - start > last.longest) Object.assign(last, { longest: end - start, name });
  }
  return groups;
}

export function maskNaively(text: Buffer, needles: readonly Needle[]): { out: Buffer; hits: number } {
  const groups = groupsIn(text, needles);
  const pieces: Buffer[] = [];
  let done = 0;
  for (const { start, end, name } of groups) {
    pieces.push(text.subarray(done, start), Buffer.from(`[capwrap:${name}]`));
    done = end;
  }
  return { out: Buffer.concat([...pieces, text.subarray(done)]), hits: groups.length };
}

/**
 * The number of bytes that `out` shows of each stretch before its marker; null where anything else differs from the
 * model. Only for text that does not hold a marker itself.
 */
export function shownBefore(out: Buffer, text: Buffer, needles: readonly Needle[]): number[] | null {
  const shown: number[] = [];
  let at = 0;
  let done = 0;
  for (const { start, end, name } of groupsIn(text, needles)) {
    const mark = out.indexOf(`[capwrap:${name}]`, at);
    const extra = mark - at - (start - done);
    if (mark < 0 || extra < 0) return null;
    if (!out.subarray(at, mark).equals(text.subarray(done, start + extra))) return null;
    shown.push(extra);
    at = mark + `[capwrap:${name}]`.length;
    done = end;
  }
  return out.subarray(at).equals(text.subarray(done)) ? shown : null;
}
