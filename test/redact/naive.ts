/** What masking means, written as plainly as possible: the model that the streaming masker is held against. */
import type { Needle } from '../../src/redact/redactor.ts';

export function maskNaively(text: Buffer, needles: readonly Needle[]): { out: Buffer; hits: number } {
  const found: { start: number; end: number; name: string }[] = [];
  for (let start = 0; start < text.length; start++) {
    for (const { bytes, name } of needles) {
      const end = start + bytes.length;
      if (end <= text.length && text.subarray(start, end).equals(bytes)) found.push({ start, end, name });
    }
  }
  const groups: { start: number; end: number; longest: number; name: string }[] = [];
  for (const { start, end, name } of found) {
    const last = groups.at(-1);
    if (last === undefined || start >= last.end) {
      groups.push({ start, end, longest: end - start, name });
      continue;
    }
    last.end = Math.max(last.end, end);
    if (end - start > last.longest) Object.assign(last, { longest: end - start, name });
  }
  const pieces: Buffer[] = [];
  let done = 0;
  for (const { start, end, name } of groups) {
    pieces.push(text.subarray(done, start), Buffer.from(`[capwrap:${name}]`));
    done = end;
  }
  return { out: Buffer.concat([...pieces, text.subarray(done)]), hits: groups.length };
}
