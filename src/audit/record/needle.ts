/** Telling by its bytes that a record can't hold a text, so that it needn't be parsed. */

export interface Needle {
  readonly bytes: Buffer;
  /** True where the bytes are too unspecific to leave a line out. */
  readonly matchesAll: boolean;
}

/** For texts that begin with `start` and hold `part` (one of them may be empty), or that are `start` where `whole`. */
export function needleOf(text: string, kind: 'whole' | 'start' | 'part'): Needle {
  const quoted = JSON.stringify(text).slice(1, -1);
  const bytes = Buffer.from(`${kind === 'part' ? '' : '"'}${quoted}${kind === 'whole' ? '"' : ''}`);
  // What isn't printable may stand in a line as it is or escaped, and any malformed byte is read as U+FFFD.
  return { bytes, matchesAll: text === '' || UNSURE.test(text) };
}

/**
 * False where no value of the record is such a text, however the line was written: without `\u` and `\/`, JSON has
 * one way to write a printable character.
 */
export function mayHold(line: Buffer, { bytes, matchesAll }: Needle): boolean {
  if (matchesAll || line.includes(bytes)) return true;
  return line.includes(BACKSLASH) && (line.includes('\\u') || line.includes('\\/'));
}

const BACKSLASH = 0x5c;
const UNSURE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\ufffd]/u;
