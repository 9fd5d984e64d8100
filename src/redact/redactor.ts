/** Masks needles in a stream of bytes. */
import { createMatcher, type Matcher } from './matcher.ts';

/** Bytes that must not appear in output, and the name that is shown for them. */
export interface Needle {
  readonly bytes: Uint8Array;
  readonly name: string;
}

/** A masker for one stream. */
export interface Redactor {
  /** Takes the next bytes and returns what may go out now; holds back only what can still become a match. */
  push(chunk: Uint8Array): Buffer;
  /** The held-back rest at the end of the stream. */
  flush(): Buffer;
  /** Matches replaced so far. */
  readonly hits: number;
}

/**
 * A masker that replaces each needle by `[capwrap:NAME]`. Matches that overlap become one, under the name of the
 * longest; the replacement is not searched again; all other bytes go out as they came. What comes out does not
 * depend on how the stream was cut. Holds back less than the longest needle's length, and never by time.
 * Several maskers may share one `matcher` made from the same needles.
 */
export function createRedactor(
  needles: readonly Needle[],
  matcher: Matcher = createMatcher(needles.map(({ bytes }) => bytes)),
): Redactor {
  let held: Uint8Array = new Uint8Array(0);
  let hits = 0;
  // The matches merged so far that may still grow. `end` counts from the beginning of the held bytes.
  const group = { open: false, end: 0, longest: 0, name: '' };

  function step(text: Uint8Array, final: boolean): Buffer {
    const out: Uint8Array[] = [];
    let done = 0; // everything before it went out or was replaced

    function closeGroup(): void {
      out.push(Buffer.from(`[capwrap:${group.name}]`));
      hits += 1;
      done = group.end;
      group.open = false;
    }

    // 1. Merge the matches that overlap, and let out what stands between them.
    const stalled = matcher.search(text, final, (start, end, index) => {
      if (group.open && start >= group.end) closeGroup();
      if (!group.open) {
        out.push(text.subarray(done, start));
        Object.assign(group, { open: true, end: start, longest: 0 });
      }
      group.end = Math.max(group.end, end);
      if (end - start <= group.longest) return;
      group.longest = end - start;
      group.name = (needles[index] as Needle).name;
    });
    // 2. A group that nothing pending can reach any more is complete.
    if (group.open && group.end <= stalled) closeGroup();
    // 3. Hold what can still become a match; a copy, so that the chunk is not kept alive.
    if (group.open) group.end -= stalled;
    else out.push(text.subarray(done, stalled));
    held = Uint8Array.from(text.subarray(stalled));
    return joined(out);
  }

  return {
    push: (chunk) => step(held.length === 0 ? chunk : Buffer.concat([held, chunk]), false),
    flush: () => step(held, true),
    get hits() {
      return hits;
    },
  };
}

/** One buffer of all pieces; without a copy where there is only one. */
function joined(pieces: readonly Uint8Array[]): Buffer {
  const filled = pieces.filter((piece) => piece.length > 0);
  const [first] = filled;
  if (first === undefined) return Buffer.alloc(0);
  if (filled.length > 1) return Buffer.concat(filled);
  return Buffer.from(first.buffer, first.byteOffset, first.byteLength);
}
