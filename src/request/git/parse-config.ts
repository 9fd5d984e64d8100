/** The format of git's config files, read as git's own `config.c` reads it (git-config(1), "CONFIGURATION FILE"). */
import { GitFault } from './read-file.ts';

/** One setting. `key` is `section.name` or `section.subsection.name`; section and name are in lower case. */
export interface ConfigEntry {
  readonly key: string;
  /** Null for a name without `=`, which git takes for true. */
  readonly value: string | null;
}

/** All settings of a file, in order. Throws a GitFault, with the line, for anything git would refuse. */
export function parseConfig(bytes: Uint8Array, shown: string): ConfigEntry[] {
  const cursor = new Cursor(decode(bytes, shown));
  const entries: ConfigEntry[] = [];
  let section = '';
  for (;;) {
    const char = cursor.next();
    if (char === END) return entries;
    if (isSpace(char)) continue;
    if (char === '#' || char === ';') {
      skipLine(cursor);
    } else if (char === '[') {
      section = readSection(cursor, shown);
    } else if (/[A-Za-z]/.test(char) && section !== '') {
      entries.push(readSetting(cursor, char, section, shown));
    } else {
      throw faulty(cursor, shown);
    }
  }
}

const END = '';

/** Walks the text with `\r\n` seen as `\n`; the end reads as END, once and for ever. */
class Cursor {
  line = 1;
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  next(): string {
    let char = this.#text[this.#at++] ?? END;
    if (char === '\r' && this.#text[this.#at] === '\n') char = this.#text[this.#at++] ?? END;
    if (char === '\n') this.line++;
    return char;
  }
}

/** UTF-8 without a byte order mark; NUL is refused because git's C strings would end there and ours would not. */
function decode(bytes: Uint8Array, shown: string): string {
  const text = Buffer.from(bytes)
    .toString('utf8')
    .replace(/^\uFEFF/, '');
  if (text.includes('\0')) throw new GitFault(`${shown} contains a NUL byte`);
  return text;
}

/** `[section]`, `[section.old-style]` or `[section "subsection"]`, after the bracket. */
function readSection(cursor: Cursor, shown: string): string {
  let name = '';
  for (;;) {
    const char = cursor.next();
    if (char === ']' && name !== '') return name;
    if (isSpace(char) && char !== '\n') return `${name}.${readSubsection(cursor, shown)}`;
    if (!/[A-Za-z0-9.-]/.test(char)) throw faulty(cursor, shown);
    name += char.toLowerCase();
  }
}

function readSubsection(cursor: Cursor, shown: string): string {
  let char = cursor.next();
  while (isSpace(char) && char !== '\n') char = cursor.next();
  if (char !== '"') throw faulty(cursor, shown);
  let name = '';
  for (;;) {
    char = cursor.next();
    if (char === '"') break;
    if (char === '\\') char = cursor.next();
    if (char === '\n' || char === END) throw faulty(cursor, shown);
    name += char;
  }
  if (cursor.next() !== ']') throw faulty(cursor, shown);
  return name;
}

function readSetting(cursor: Cursor, first: string, section: string, shown: string): ConfigEntry {
  let name = first.toLowerCase();
  let char = cursor.next();
  for (; /[A-Za-z0-9-]/.test(char); char = cursor.next()) name += char.toLowerCase();
  while (char === ' ' || char === '\t') char = cursor.next();
  const key = `${section}.${name}`;
  if (char === '\n' || char === END) return { key, value: null };
  if (char !== '=') throw faulty(cursor, shown);
  return { key, value: readValue(cursor, shown) };
}

/** Up to the end of the line: blanks around it dropped, quotes and escapes undone, a `\` at its end continues it. */
function readValue(cursor: Cursor, shown: string): string {
  let value = '';
  let blanks = '';
  let quoted = false;
  for (;;) {
    let char = cursor.next();
    if (char === '\n' || char === END) {
      if (quoted) throw faulty(cursor, shown);
      return value;
    }
    if (!quoted && isSpace(char)) {
      if (value !== '') blanks += char;
      continue;
    }
    if (!quoted && (char === '#' || char === ';')) {
      skipLine(cursor);
      return value;
    }
    value += blanks;
    blanks = '';
    if (char === '"') {
      quoted = !quoted;
      continue;
    }
    if (char === '\\') {
      char = cursor.next();
      if (char === '\n' || char === END) continue;
      const escaped = ESCAPES[char];
      if (escaped === undefined) throw faulty(cursor, shown);
      char = escaped;
    }
    value += char;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', b: '\b', n: '\n', '\\': '\\', '"': '"' };

function skipLine(cursor: Cursor): void {
  for (let char = cursor.next(); char !== '\n' && char !== END; ) char = cursor.next();
}

function isSpace(char: string): boolean {
  return char === ' ' || char === '\t' || char === '\n' || char === '\r';
}

function faulty(cursor: Cursor, shown: string): GitFault {
  return new GitFault(`${shown} has a line that git would refuse (line ${cursor.line})`);
}
