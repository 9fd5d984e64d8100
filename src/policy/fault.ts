/** What is wrong with a map: one value per fault, and the error that carries all of them. */
import { basename } from 'node:path';
import { shellQuote } from '../base/shell-quote.ts';
import { CapwrapError } from '../errors.ts';
import { hideCredentials } from './credential-shape.ts';
import { formatPlace, type Place } from './map-place.ts';
import type { Part, Positions } from './positions.ts';

/** Stable keys of faults; `capwrap check --format json` prints them. */
export type FaultCode =
  | 'too_large'
  | 'not_utf8'
  | 'hidden_character'
  | 'empty_map'
  | 'yaml_syntax'
  | 'yaml_directive'
  | 'second_document'
  | 'too_deep'
  | 'tag_refused'
  | 'alias_refused'
  | 'merge_refused'
  | 'key_refused'
  | 'duplicate_key'
  | 'unknown_key'
  | 'missing_key'
  | 'wrong_type'
  | 'wrong_value'
  | 'pattern_syntax'
  | 'provider_unsupported'
  | 'source_unsupported'
  | 'rule_effect'
  | 'ttl_too_long'
  | 'name_clash'
  | 'name_sensitive'
  | 'name_unused'
  | 'credential_value'
  | 'scope_broad'
  | 'source_conflict'
  | 'test_conflict'
  | 'key_invalid'
  | 'approval_impossible';

/** One fault. Lines and columns count from 1, columns in UTF-16 code units. */
export interface Fault {
  readonly code: FaultCode;
  /** One sentence, the subject first in double quotes. */
  readonly message: string;
  readonly line: number;
  readonly column: number;
  /** The offending text, shortened to one line; null where there is none or where it could be a secret. */
  readonly text: string | null;
  /** The line to write or change; null where the message says it all. */
  readonly fix: string | null;
  /** Place in the map: `capabilities.deploy.rules[0].allow.branch`. */
  readonly at: string;
}

/** Notes a fault at a place of the map. `part` chooses whether its key or its value is pointed at. */
export type Report = (
  place: Place,
  code: FaultCode,
  message: string,
  fix?: string | null,
  part?: Part,
) => void;

/** More faults than anyone reads; a file that is no map at all could have one per line. */
const MAX_FAULTS = 500;

/** A `Report` that looks positions up and adds to `faults`, up to a bound. */
export function reportTo(faults: Fault[], positions: Positions): Report {
  return (place, code, sentence, fix = null, part = 'value') => {
    const at = hideCredentials(formatPlace(place));
    const message = hideCredentials(sentence);
    if (faults.length >= MAX_FAULTS) return;
    // A fault of `defaults` shows in each capability that gets them; a refused alias leaves no value to judge.
    const isEcho = (it: Fault) => it.at === at && (it.message === message || it.code === 'alias_refused');
    if (faults.some(isEcho)) return;
    const { line, column, text } = positions.of(place, part);
    faults.push({ code, message, line, column, text: text || null, fix: fix && hideCredentials(fix), at });
  };
}

/** `capabilities.yaml:12:5: "tll" is not a known key`. */
function faultLine(file: string, fault: Fault): string {
  return `${file}:${fault.line}:${fault.column}: ${fault.message}`;
}

/** Lines that an error shows; `capwrap check` shows all. */
const SHOWN = 20;

/** ERR_MAP_INVALID with every fault of the map, in the order of the file; the message has a line for each. */
export class MapInvalidError extends CapwrapError {
  readonly faults: readonly Fault[];

  constructor(path: string, faults: readonly Fault[]) {
    const file = basename(path);
    const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`;
    const lines = faults.slice(0, SHOWN).map((fault) => faultLine(file, fault));
    const rest = faults.length > SHOWN ? [`and ${faults.length - SHOWN} more`] : [];
    super('ERR_MAP_INVALID', [`"${file}" has ${count}`, ...lines, ...rest].join('\n'), {
      hint: `capwrap check ${shellQuote(path)}`,
    });
    this.name = 'MapInvalidError';
    this.faults = faults;
  }
}
