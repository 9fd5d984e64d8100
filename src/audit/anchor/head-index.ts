/** What any number of heads can be held against: of each record of a log its hash, its time, and whether a head fitted; 41 bytes. */
import type { ChainHead } from '../log/chain.ts';

const HASH = 32;
const ENTRY = HASH + 9;

export class HeadIndex {
  private entries = Buffer.alloc(256 * ENTRY);
  private first: number | null = null;
  private count = 0;

  /** The record whose line this is; each follows the one before, or the log is read once more. */
  readonly add = ({ seq, hash }: ChainHead, line: Buffer): void => {
    this.first ??= seq;
    const number = seq - this.first;
    if (number < 0 || number > this.count) return; // of a log that took this one's place meanwhile
    this.count = Math.max(this.count, number + 1);
    const at = number * ENTRY;
    if (at >= this.entries.length) this.entries = Buffer.concat([this.entries], this.entries.length * 2);
    this.entries.write(hash, at, 'hex');
    this.entries.writeDoubleBE(timeOf(line), at + HASH);
  };

  /** Of the first record; null where there is none. */
  get start(): number | null {
    return this.first;
  }

  /** True where the record that the head is of has that hash. */
  has({ seq, hash }: ChainHead): boolean {
    const at = this.at(seq);
    return at !== null && this.entries.toString('hex', at, at + HASH) === hash;
  }

  /** Notes that a head of the record was found; true the first time. */
  note(seq: number): boolean {
    const at = this.at(seq);
    if (at === null || this.isNoted(seq)) return false;
    this.entries[at + ENTRY - 1] = 1;
    return true;
  }

  /** The newest record before `seq` of which a head was found; 0 where there is none. */
  notedBefore(seq: number): number {
    for (let each = seq - 1; this.at(each) !== null; each--) if (this.isNoted(each)) return each;
    return 0;
  }

  /** RFC 3339, as the record says; null where it says none. */
  time(seq: number): string | null {
    const at = this.at(seq);
    const time = at === null ? Number.NaN : this.entries.readDoubleBE(at + HASH);
    return Number.isNaN(time) ? null : new Date(time).toISOString();
  }

  private isNoted(seq: number): boolean {
    const at = this.at(seq);
    return at !== null && this.entries[at + ENTRY - 1] === 1;
  }

  private at(seq: number): number | null {
    const number = this.first === null ? -1 : seq - this.first;
    return number >= 0 && number < this.count ? number * ENTRY : null;
  }
}

/** Records begin with their timestamp. */
function timeOf(line: Buffer): number {
  const match = /^\{"timestamp":"([^"]{1,40})"/.exec(line.toString('latin1', 0, 64));
  return Date.parse(match?.[1] ?? '');
}
