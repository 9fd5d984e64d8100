/** What masking means, written as plainly as possible: the model that the streaming masker is held against. */
import type { Needle } from '../../src/redact/redactor.ts';

export interface Group {
  start: number;
  end: number;
  longest: number;
  name: string;
}

/** A fold: a run of up to 32 bytes of blanks and line ends, or their escapes, with a line end among them. */
const FOLD = /^(?:[ \t\r\n]|\\[nrt])+/;

/** Where the needle ends that begins at `start`; -1 where there is none. */
function endOf(text: Buffer, start: number, { bytes, folds }: Needle): number {
  if (text.subarray(start, start + bytes.length).equals(bytes)) return start + bytes.length;
  if (!folds || bytes.length < 11 || /[ \t\r\n\\]/.test(Buffer.from(bytes).toString('latin1'))) return -1;
  let at = start;
  let early = 0;
  for (let index = 0; index < bytes.length; index++) {
    const [run] = index === 0 ? [] : (FOLD.exec(text.subarray(at, at + 100).toString('latin1')) ?? []);
    if (run !== undefined) {
      if (run.length > 32 || !/[\r\n]|\\[nr]/.test(run)) return -1;
      if (index < 37) early += 1;
      if (early > 1) return -1;
      at += run.length;
    }
    if (text[at] !== bytes[index]) return -1;
    at += 1;
  }
  return at;
}

/** The stretches of `text` that are to be replaced. */
export function groupsIn(text: Buffer, needles: readonly Needle[]): Group[] {
  const found: { start: number; end: number; length: number; name: string }[] = [];
  for (let start = 0; start < text.length; start++) {
    for (const needle of needles) {
      if (text[start] !== needle.bytes[0]) continue;
      const end = endOf(text, start, needle);
      if (end >= 0) found.push({ start, end, length: needle.bytes.length, name: needle.name });
    }
  }
  const groups: Group[] = [];
  for (const { start, end, length, name } of found) {
    const last = groups.at(-1);
    if (last === undefined || start >= last.end) {
      groups.push({ start, end, longest: length, name });
      continue;
    }
    last.end = Math.max(last.end, end);
    if (length > last.longest) Object.assign(last, { longest: length, name });
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
 * The number of bytes, blanks and line ends apart, that `out` shows of each stretch before its marker; null where anything else differs from the
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
    shown.push(text.subarray(start, start + extra).filter((byte) => byte > 32).length);
    at = mark + `[capwrap:${name}]`.length;
    done = end;
  }
  return out.subarray(at).equals(text.subarray(done)) ? shown : null;
}
