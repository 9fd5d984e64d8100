/** Masks needles in a stream of bytes. */
import { LONGEST_FOLD } from './folds.ts';
import { createMatcher, type Matcher } from './matcher.ts';
import type { Pattern } from './patterns.ts';
import { joined, joinedWithin } from './pieces.ts';

/** Bytes that must not appear in output, and the name that is shown for them. */
export interface Needle extends Pattern {
  readonly name: string;
}

/** A masker for one stream. */
export interface Redactor {
  /**
   * Takes the next bytes and returns what may go out now; holds back only what can still become a match. `room` says
   * how many bytes directly before `chunk`, in its own memory, are free to be overwritten; where there are any, `chunk`
   * is as well. So hardly anything has to be copied. The result may be a view of that memory; the caller uses it up
   * before it reuses the memory.
   */
  push(chunk: Uint8Array, room?: number): Buffer;
  /** True while bytes are held back that `release` could let out. */
  readonly short: boolean;
  /**
   * Lets out a held beginning of fewer than 4 bytes, blanks and line ends apart (a prompt's last characters), while the search goes on as if it
   * had been kept: should the rest follow, that is replaced. Nothing longer is ever let out, so no more than 3 bytes
   * of a needle go out this way. Returns what goes out now; empty otherwise.
   */
  release(): Buffer;
  /**
   * The held-back rest at the end of the stream. With `cut`, what follows was not waited for, so the rest may be most of
   * a needle: more than 3 bytes of it become `[capwrap:cut]`.
   */
  flush(cut?: boolean): Buffer;
  /** Matches found so far. */
  readonly hits: number;
}

/** So many bytes say too little of a secret to keep a prompt waiting for them. */
const MOST_RELEASED = 3;
/** Blanks and line ends say nothing of it: a fold may follow a form's first bytes, or a program's last ones. */
const LONGEST_RELEASED = MOST_RELEASED + LONGEST_FOLD;

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/**
 * A masker that replaces each needle by `[capwrap:NAME]`. Matches that overlap become one, under the name of the
 * longest; the replacement is not searched again; all other bytes go out as they came. What comes out does not
 * depend on how the stream was cut. Holds back less than the longest needle's length, and never by time.
 * Several maskers may share one `matcher` made from the same needles.
 */
export function createRedactor(
  needles: readonly Needle[],
  matcher: Matcher = createMatcher(needles),
): Redactor {
  // An own copy of what is held, so that the chunk is not kept alive.
  let hold = new Uint8Array(64);
  let held = 0;
  /** How many of the held bytes went out already. */
  let released = 0;
  let hits = 0;
  const markers = new Map<string, Uint8Array>();
  // The matches merged so far that may still grow. `end` counts from the beginning of the held bytes.
  const group = { open: false, end: 0, longest: 0, name: '' };

  /** `room` bytes before the text are free, and the text is; nothing of it where that is less than none. */
  function step(text: Uint8Array, room: number, final: boolean): Buffer {
    const out: Uint8Array[] = [];
    let done = released; // everything before it went out or was replaced

    function letOut(end: number): void {
      if (end <= done) return;
      out.push(text.subarray(done, end));
      done = end;
    }

    function closeGroup(): void {
      out.push(markerFor(group.name));
      hits += 1;
      done = group.end;
      group.open = false;
    }

    // 1. Merge the matches that overlap, and let out what stands between them.
    const stalled = matcher.search(text, final, (start, end, index) => {
      if (group.open && start >= group.end) closeGroup();
      if (!group.open) {
        letOut(start);
        group.open = true;
        group.end = start;
        group.longest = 0;
      }
      group.end = Math.max(group.end, end);
      const { bytes, name } = needles[index] as Needle;
      if (bytes.length <= group.longest) return;
      group.longest = bytes.length;
      group.name = name;
    });
    // 2. A group that nothing pending can reach any more is complete.
    if (group.open && group.end <= stalled) closeGroup();
    // 3. Hold what can still become a match.
    if (group.open) group.end -= stalled;
    else letOut(stalled);
    released = group.open ? 0 : Math.max(0, released - stalled);
    keep(text.subarray(stalled));
    return joinedWithin(text, room, out);
  }

  function markerFor(name: string): Uint8Array {
    const known = markers.get(name);
    if (known !== undefined) return known;
    const marker = Buffer.from(`[capwrap:${name}]`);
    markers.set(name, marker);
    return marker;
  }

  function keep(rest: Uint8Array): void {
    held = rest.length;
    if (held > hold.length) hold = new Uint8Array(2 * held);
    hold.set(rest);
  }

  /** What is held and the chunk behind it, in one piece. */
  function withHeld(chunk: Uint8Array, room: number): Uint8Array {
    if (held === 0) return chunk;
    const kept = hold.subarray(0, held);
    if (held > room) return Buffer.concat([kept, chunk]);
    const text = new Uint8Array(chunk.buffer, chunk.byteOffset - held, held + chunk.length);
    text.set(kept);
    return text;
  }

  function canRelease(): boolean {
    if (held === released || held > LONGEST_RELEASED || group.open) return false;
    return tellsLittle(0);
  }

  /** Whether what is held from `start` on may be shown. */
  function tellsLittle(start: number): boolean {
    let telling = 0;
    for (let at = start; at < held; at++) if (!isBlank(hold[at])) telling += 1;
    return telling <= MOST_RELEASED;
  }

  function cutOff(): Buffer {
    const out: Uint8Array[] = [];
    let start = released;
    if (group.open) {
      out.push(markerFor(group.name));
      hits += 1;
      start = group.end;
      group.open = false;
    }
    if (start < held) out.push(tellsLittle(start) ? hold.slice(start, held) : markerFor('cut'));
    held = 0;
    return joined(out);
  }

  return {
    push(chunk, room = 0) {
      const free = room > 0 ? room - held : -1;
      return step(withHeld(chunk, room), free, false);
    },
    get short() {
      return canRelease();
    },
    release() {
      if (!canRelease()) return EMPTY;
      const out = Buffer.from(hold.subarray(released, held));
      released = held;
      return out;
    },
    flush: (cut = false) => (cut ? cutOff() : step(Uint8Array.from(hold.subarray(0, held)), -1, true)),
    get hits() {
      // A match that is still being merged has been found all the same.
      return hits + (group.open ? 1 : 0);
    },
  };
}

const EMPTY = Buffer.alloc(0);
