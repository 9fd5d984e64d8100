/** Which strings give a secret value away: the table of transformations that masking covers. */
import { base64Forms, base64UrlForms, foldedBase64Forms } from './base64-forms.ts';
import { percentForms } from './percent-forms.ts';
import { jsonForms, literalForms, shellForms, xmlForms } from './text-forms.ts';

/** Values with fewer bytes, blanks around them not counted, would shred ordinary output and are not masked. */
const SHORTEST_SECRET = 8;

export interface Form {
  readonly id: string;
  /** What is covered, as `docs/masking.md` lists it. */
  readonly covers: string;
  /** `core` is the value without blanks and one pair of double quotes around it; `value` is as issued. */
  readonly of: (core: string, value: string) => readonly string[];
}

/** In the order of `docs/masking.md`. */
export const FORMS: readonly Form[] = [
  { id: 'raw', covers: 'the value as issued', of: (_, value) => [value] },
  {
    id: 'trimmed',
    covers: 'without blanks and line ends around it, and without one pair of double quotes around it',
    of: (core) => [core],
  },
  {
    id: 'lines',
    covers: 'each line of 8 bytes or more of a value with several lines, without its indentation',
    of: (core) => longLines(core),
  },
  {
    id: 'line-ends',
    covers: 'a value with several lines, its line ends written as LF or as CRLF',
    of: (core) => [core.replace(/\r?\n/g, '\n'), core.replace(/\r?\n/g, '\r\n')],
  },
  {
    id: 'base64',
    covers: 'base64, wherever the value stands in what was encoded (three alignments), padded or not',
    of: (core) => base64Forms(Buffer.from(core)),
  },
  {
    id: 'base64url',
    covers: 'base64 in the alphabet for URLs, three alignments, padded or not',
    of: (core) => base64UrlForms(Buffer.from(core)),
  },
  {
    id: 'base64-folded',
    covers:
      'base64 folded into lines of 64 or 76 characters that end in LF, three alignments, at every column',
    of: (core) => FOLD_WIDTHS.flatMap((width) => foldedBase64Forms(Buffer.from(core), width)),
  },
  {
    id: 'hex',
    covers: 'hexadecimal without separators, lower or upper case',
    of: (core) => hexForms(Buffer.from(core)),
  },
  {
    id: 'percent',
    covers:
      'percent-encoding of RFC 3986, `encodeURIComponent`, path segments, form bodies (`+` for a blank) and of every byte, `%XX` or `%xx`',
    of: (core) => percentForms(Buffer.from(core)),
  },
  {
    id: 'json',
    covers:
      'JSON strings: minimal, `\\/`, ASCII only, safe for HTML (Go, Gson, .NET), and JSON inside a JSON string',
    of: (core) => jsonForms(core),
  },
  {
    id: 'shell',
    covers: "words quoted for a shell: `'…'`, `\"…\"`, `\\`, `$'…'`",
    of: (core) => shellForms(core),
  },
  {
    id: 'literal',
    covers: 'string literals of C, Go, Rust and Python as debug output prints them',
    of: (core) => literalForms(core),
  },
  {
    id: 'xml',
    covers: 'XML and HTML character references: named, decimal, hexadecimal',
    of: (core) => xmlForms(core),
  },
];

/** All forms of a value, each once; none where the value is too short to be masked. */
export function formsOf(value: string): string[] {
  const core = coreOf(value);
  if (isShort(core)) return [];
  const forms = new Set<string>();
  for (const form of FORMS) {
    for (const text of form.of(core, value)) if (!isShort(text)) forms.add(text);
  }
  return [...forms];
}

const FOLD_WIDTHS = [64, 76];

/** Encodings of the whole value contain those of its core, so the core's are enough. */
function coreOf(value: string): string {
  const trimmed = value.trim();
  const unquoted = /^"(.*)"$/s.exec(trimmed)?.[1] ?? trimmed;
  return isShort(unquoted) ? trimmed : unquoted;
}

function isShort(text: string): boolean {
  return text.length < SHORTEST_SECRET && Buffer.byteLength(text) < SHORTEST_SECRET;
}

function longLines(core: string): string[] {
  if (!core.includes('\n')) return [];
  return core
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !PEM_BOUNDARY.test(line));
}

/** These lines are in every PEM file (RFC 7468) and say nothing. */
const PEM_BOUNDARY = /^-----(?:BEGIN|END) [\x20-\x7e]*-----$/;

function hexForms(core: Buffer): string[] {
  const lower = core.toString('hex');
  return [lower, lower.toUpperCase()];
}
