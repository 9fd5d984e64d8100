/** YAML 1.2 text to a document tree, with the faults of its syntax in words of our own. */
import { type Document, parseDocument } from 'yaml';
import type { Fault, FaultCode } from './fault.ts';
import { positionAt } from './positions.ts';

/** Sentences by the error codes of the yaml library, which are its documented API; its messages are not. */
const SENTENCES: Readonly<Record<string, readonly [message: string, fix: string | null]>> = {
  BAD_ALIAS: ['"alias" is not valid', null],
  BAD_DQ_ESCAPE: ['"escape" is not one that double quotes know', "use single quotes: 'like this'"],
  BAD_INDENT: ['"indentation" does not fit the lines around it', 'align it with the lines of the same level'],
  BAD_SCALAR_START: ['"text" starts with a reserved character', "put it in quotes: 'like this'"],
  BLOCK_AS_IMPLICIT_KEY: [
    '"mapping" starts on the line of another key',
    'put the inner key on a line of its own, or the value in quotes',
  ],
  MISSING_CHAR: ['"closing character" is missing', 'close the quote, bracket or brace'],
  MULTILINE_IMPLICIT_KEY: ['"key" is not on a single line', 'check the indentation and the colon'],
  TAB_AS_INDENT: ['"tab" is used as indentation', 'indent with blanks'],
  UNEXPECTED_TOKEN: ['"text" is not expected here', 'check the indentation and the quotes'],
};

const TOO_DEEP = ['too_deep', '"map" is nested too deeply', null] as const;

/** Errors that have a key of their own. */
const SPECIAL: Readonly<Record<string, readonly [FaultCode, string, string | null]>> = {
  MULTIPLE_DOCS: ['second_document', '"---" starts a second document', 'keep one map per file'],
  RESOURCE_EXHAUSTION: TOO_DEEP,
};

const MAX_SYNTAX_FAULTS = 100;

/** Parses one document. With faults the tree is not to be relied on, so nothing else is checked then. */
export function parseYaml(text: string): { document: Document | null; faults: Fault[] } {
  let document: Document;
  try {
    document = parseDocument(text, {
      version: '1.2',
      schema: 'core',
      strict: true,
      merge: false,
      resolveKnownTags: false,
      uniqueKeys: false, // quadratic in the library; yaml-value.ts finds duplicates, in NFC
      prettyErrors: false,
      logLevel: 'error', // at `silent` a second document would go unreported
    });
  } catch (error) {
    // Deep nesting overflows the library's recursion; anything else is a defect.
    if (!(error instanceof RangeError)) throw error;
    return { document: null, faults: [fault(text, ...TOO_DEEP, 0, 0)] };
  }
  const faults = [...directiveFaults(text, document), ...syntaxFaults(text, document)];
  return { document, faults };
}

/** A directive could turn YAML 1.1 on, where `no` is false and `010` is eight. */
function directiveFaults(text: string, document: Document): Fault[] {
  const directives = document.directives;
  const refused =
    directives?.yaml.version !== '1.2' ||
    Object.keys(directives.tags).length > 1 ||
    document.warnings.some((warning) => warning.code === 'BAD_DIRECTIVE');
  const start = Math.max(0, text.search(/^%/m));
  const message = '"directive" is not supported: the map is plain YAML 1.2';
  return refused ? [fault(text, 'yaml_directive', message, 'delete the line', start, start + 1)] : [];
}

/** One fault per line: what follows a first one is mostly its echo. */
function syntaxFaults(text: string, document: Document): Fault[] {
  const byLine = new Map<number, Fault>();
  for (const { code, pos } of document.errors.slice(0, MAX_SYNTAX_FAULTS)) {
    const found = fault(text, ...(SPECIAL[code] ?? syntax(code)), ...pos);
    if (!byLine.has(found.line)) byLine.set(found.line, found);
  }
  return [...byLine.values()];
}

function syntax(code: string): readonly [FaultCode, string, string | null] {
  return ['yaml_syntax', ...(SENTENCES[code] ?? (['"text" is not valid YAML', null] as const))];
}

function fault(
  text: string,
  code: FaultCode,
  message: string,
  fix: string | null,
  start: number,
  end: number,
): Fault {
  const position = positionAt(text, start, end);
  return {
    code,
    message,
    line: position.line,
    column: position.column,
    text: position.text || null,
    fix,
    at: '(map)',
  };
}
