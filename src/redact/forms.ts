/** Which strings give a secret value away: the table of transformations that masking covers. */
import { base64Forms, base64UrlForms, foldedBase64Forms } from './base64-forms.ts';
import { decimalForms } from './decimal-forms.ts';
import { hexForms } from './hex-forms.ts';
import { longLines, reflowed } from './line-forms.ts';
import { percentForms } from './percent-forms.ts';
import { doubledForms, jsonForms, literalForms, shellForms, xmlForms } from './text-forms.ts';

/** Values with fewer bytes, blanks around them not counted, would shred ordinary output and are not masked. */
const SHORTEST_SECRET = 8;

/** Forms of fewer bytes are found folded only where they say so: more samples would be needed for all output. */
const SHORTEST_WRAPPED = 37;

export interface Value {
  /** As issued. */
  readonly issued: string;
  /** Without blanks and one pair of double quotes around it. */
  readonly core: string;
  readonly bytes: Buffer;
}

export interface Form {
  readonly id: string;
  /** What is covered, as `docs/masking.md` lists it. */
  readonly covers: string;
  readonly of: (value: Value) => readonly string[];
  /** Whether they are found folded into lines as well: all of them, or those that are long enough. */
  readonly folds?: 'all' | 'long';
}

/** A byte string to search for, as text. */
export interface FormText {
  readonly text: string;
  readonly folds: boolean;
}

/** In the order of `docs/masking.md`. */
export const FORMS: readonly Form[] = [
  { id: 'raw', covers: 'the value as issued', of: ({ issued }) => [issued], folds: 'long' },
  {
    id: 'trimmed',
    covers: 'without blanks and line ends around it, and without one pair of double quotes around it',
    of: ({ core }) => [core],
    folds: 'long',
  },
  {
    id: 'lines',
    covers: 'each line of 8 bytes or more of a value with several lines, without its indentation',
    of: ({ core }) => longLines(core),
    folds: 'long',
  },
  {
    id: 'line-ends',
    covers:
      'a value with several lines, its line ends written as LF or as CRLF, its lines indented by 2, 4, 6 or 8 blanks or a tab, or joined by a blank or by nothing',
    of: ({ core }) => reflowed(core),
  },
  {
    id: 'base64',
    covers: 'base64, wherever the value stands in what was encoded (three alignments), padded or not',
    of: ({ bytes }) => base64Forms(bytes),
    folds: 'all',
  },
  {
    id: 'base64url',
    covers: 'base64 in the alphabet for URLs, three alignments, padded or not',
    of: ({ bytes }) => base64UrlForms(bytes),
    folds: 'all',
  },
  {
    id: 'hex',
    covers: 'hexadecimal, lower or upper case',
    of: ({ bytes }) => hexForms(bytes, ''),
    folds: 'all',
  },
  {
    id: 'hex-pairs',
    covers: 'hexadecimal, lower or upper case, with a colon or a blank between the bytes',
    of: ({ bytes }) => [':', ' '].flatMap((separator) => hexForms(bytes, separator)),
    folds: 'all',
  },
  {
    id: 'decimal',
    covers: 'the bytes as decimal numbers with a blank, a comma or both in between',
    of: ({ bytes }) => decimalForms(bytes),
  },
  {
    id: 'folded',
    covers:
      'base64 and hexadecimal (not with blanks), and values and lines of 37 bytes or more without a blank or backslash, folded into lines of any width from 37 on, the first of any length; the lines end in LF or CRLF, or in `\\n` or `\\r\\n` as in a JSON string, and are indented by up to 28 blanks or tabs (base64 of a value of 8 bytes: LF or CRLF only)',
    of: ({ bytes }) => foldedBase64Forms(bytes),
  },
  {
    id: 'percent',
    covers:
      'percent-encoding of RFC 3986, `encodeURIComponent`, `encodeURI`, paths, queries and fragments (WHATWG), user information (`user:password@`) by Go and WHATWG, `quote` of Python, `PathEscape` of Go, form bodies (`+` for a blank; WHATWG, Python, .NET, `encodeURIComponent`) and of every byte, `%XX` or `%xx`',
    of: ({ bytes }) => percentForms(bytes),
  },
  {
    id: 'json',
    covers:
      'JSON strings: minimal, `\\/`, ASCII only, safe for HTML (Go, Gson, .NET), and JSON inside a JSON string',
    of: ({ core }) => jsonForms(core),
  },
  {
    id: 'shell',
    covers: "words quoted for a shell: `'…'`, `\"…\"`, `\\`, `$'…'`",
    of: ({ core }) => shellForms(core),
  },
  {
    id: 'literal',
    covers: 'string literals of C, Go, Rust and Python as debug output prints them',
    of: ({ core }) => literalForms(core),
  },
  {
    id: 'doubled',
    covers: 'quotes doubled: `\'\'` as in SQL, YAML and PowerShell, `""` as in CSV',
    of: ({ core }) => doubledForms(core),
  },
  {
    id: 'xml',
    covers: 'XML and HTML character references: named, decimal, hexadecimal',
    of: ({ core }) => xmlForms(core),
  },
];

/** All forms of a value, each once; none where the value is too short to be masked. */
export function formsOf(issued: string): FormText[] {
  const core = coreOf(issued);
  if (isShort(core)) return [];
  const value = { issued, core, bytes: Buffer.from(core) };
  const forms = new Map<string, boolean>();
  for (const { of, folds } of FORMS) {
    for (const text of of(value)) {
      if (isShort(text)) continue;
      const found = folds === 'all' || (folds === 'long' && text.length >= SHORTEST_WRAPPED);
      if (found || !forms.has(text)) forms.set(text, found);
    }
  }
  return [...forms].map(([text, folds]) => ({ text, folds }));
}

/** Encodings of the whole value contain those of its core, so the core's are enough. */
function coreOf(value: string): string {
  const trimmed = value.trim();
  const unquoted = /^"(.*)"$/s.exec(trimmed)?.[1] ?? trimmed;
  return isShort(unquoted) ? trimmed : unquoted;
}

function isShort(text: string): boolean {
  return text.length < SHORTEST_SECRET && Buffer.byteLength(text) < SHORTEST_SECRET;
}
