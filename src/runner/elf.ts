/** Which loader the kernel starts for a dynamically linked program (elf(5), PT_INTERP). */
import { peekFile } from './peek-file.ts';

const PT_INTERP = 3;
const HEADER_SIZE = 64;
/** More program headers than any linker makes; the count is the file's own claim. */
const MOST_HEADERS = 128;
const LONGEST_PATH = 4096;

/** The path of the loader; null where the file is no such program, is cut short, or can't be read. */
export function elfLoader(path: string): string | null {
  return peekFile(path, loaderIn);
}

function loaderIn(read: (offset: number, length: number) => Buffer): string | null {
  const header = read(0, HEADER_SIZE);
  if (header.length < HEADER_SIZE || header.toString('latin1', 0, 4) !== '\x7fELF') return null;
  const is64 = header[4] === 2;
  const little = header[5] === 1;
  const half = (bytes: Buffer, at: number) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const word = (bytes: Buffer, at: number) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const address = (bytes: Buffer, at: number) => {
    if (!is64) return word(bytes, at);
    return Number(little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
  };
  const table = address(header, is64 ? 32 : 28);
  const size = half(header, is64 ? 54 : 42);
  const count = Math.min(half(header, is64 ? 56 : 44), MOST_HEADERS);
  for (let index = 0; index < count; index++) {
    const entry = read(table + index * size, is64 ? 56 : 32);
    if (word(entry, 0) !== PT_INTERP) continue;
    const offset = address(entry, is64 ? 8 : 4);
    const length = address(entry, is64 ? 32 : 16);
    if (length > LONGEST_PATH) return null;
    return read(offset, length).toString('utf8').replace(/\0.*$/s, '') || null;
  }
  return null;
}
