/** The data types of the SSH protocol (RFC 4251 section 5), read strictly: what isn't canonical is refused. */

/** Bytes or text that are not what they should be. `reason` is a sentence fragment without the subject: `is cut short`. */
export class SshFormatError extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.name = 'SshFormatError';
    this.reason = reason;
  }
}

/** Reads fields one after the other; every method throws SshFormatError where the bytes don't hold the field. */
export class WireReader {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** The next `count` bytes. */
  take(count: number): Buffer {
    const end = this.at + count;
    if (end > this.bytes.length) throw new SshFormatError('is cut short');
    const taken = this.bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }

  byte(): number {
    return this.take(1).readUInt8();
  }

  uint32(): number {
    return this.take(4).readUInt32BE();
  }

  /** A length and as many bytes. */
  string(): Buffer {
    return this.take(this.uint32());
  }

  /** A string that is UTF-8. */
  text(): string {
    const bytes = this.string();
    const text = bytes.toString('utf8');
    if (!Buffer.from(text).equals(bytes)) throw new SshFormatError('holds text that is not UTF-8');
    return text;
  }

  /** A positive integer, big-endian without leading zeros. Zero, a negative one and needless zeros are refused. */
  positiveMpint(): Buffer {
    const bytes = this.string();
    const [first, second = 0] = bytes;
    if (first === undefined || first >= 0x80) throw new SshFormatError('holds a number that is not positive');
    if (first !== 0) return bytes;
    if (second < 0x80) throw new SshFormatError('holds a number with needless zeros');
    return bytes.subarray(1);
  }

  /** Nothing may follow. */
  end(): void {
    if (this.at !== this.bytes.length) throw new SshFormatError('has bytes after its end');
  }
}

/** A string field: its length as a uint32, then the bytes. */
export function wireString(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Bytes of padded standard base64 in its one canonical form; throws SshFormatError for any other text. */
export function strictBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (text === '' || bytes.toString('base64') !== text) throw new SshFormatError('holds damaged base64');
  return bytes;
}
