/** Puts together what goes out: stretches of the text, and markers between them. */

const EMPTY = Buffer.alloc(0);

/** One buffer of all pieces; without a copy where there is only one. */
export function joined(pieces: readonly Uint8Array[]): Buffer {
  const [first] = pieces;
  if (first === undefined) return EMPTY;
  if (pieces.length > 1) return Buffer.concat(pieces);
  return Buffer.from(first.buffer, first.byteOffset, first.length);
}

/**
 * The same, in the text's own memory, of which `room` bytes before the text are free: fresh memory for each chunk would
 * cost more than the search. The pieces are stretches of the text in order, and others of other memory. Where there is
 * too little room, or less than none, it is a copy after all.
 */
export function joinedWithin(text: Uint8Array, room: number, pieces: readonly Uint8Array[]): Buffer {
  if (pieces.length < 2) return joined(pieces);
  // Each stretch is moved to the left or stays, so none is overwritten before it was moved.
  let size = 0;
  let before = 0;
  for (const piece of pieces) {
    if (piece.buffer === text.buffer) before = Math.max(before, size - (piece.byteOffset - text.byteOffset));
    size += piece.length;
  }
  before = Math.max(before, size - text.length);
  if (before > room) return joined(pieces);
  const out = Buffer.from(text.buffer, text.byteOffset - before, size);
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
