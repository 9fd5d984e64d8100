/**
 * The patterns of the map: `*` is any run of characters without `/`, `**` any run, everything else is itself.
 * A pattern matches the whole value, case-sensitive, and nothing that holds a newline or control character.
 *
 * The matcher walks all states of the pattern at once and never goes back: the time is at most the length of the
 * value times the length of the pattern, whatever either of them holds. No regular expression is made from a
 * pattern: libraries that do so took seconds for 81 characters, and let `deploy-*` match `deploy-prod\n`.
 */

const MAX_PATTERN_LENGTH = 1024;

/** What a pattern in the map may look like; `patternFault` says in words which part of it does not hold. */
export const PATTERN_SHAPE = /^(?!!)(?!.*\*{3})[^?[\]{}()|\\\u0000-\u001f\u007f-\u009f\u2028\u2029]{1,1024}$/;

/** Characters that a value must not hold to be matched: C0, C1, and the two Unicode line ends. */
const UNMATCHABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

export type CompiledPattern =
  | { readonly ok: true; readonly matches: (value: string) => boolean }
  | { readonly ok: false; readonly reason: string };

/** Compiles a pattern, or says why it is none. Pattern and values are compared in Unicode NFC. */
export function compilePattern(text: string): CompiledPattern {
  const reason = patternFault(text);
  if (reason !== null) return { ok: false, reason };
  const pattern = text.normalize('NFC');
  return { ok: true, matches: (value) => matchWhole(pattern, value.normalize('NFC')) };
}

/** Why a text is no pattern, as the end of a sentence (`must …`), or null where it is one. */
export function patternFault(text: string): string | null {
  if (PATTERN_SHAPE.test(text)) return null;
  if (text === '') return 'must not be empty';
  if (text.length > MAX_PATTERN_LENGTH) return `must not be longer than ${MAX_PATTERN_LENGTH} characters`;
  if (UNMATCHABLE.test(text)) return 'must not hold a newline or control character';
  if (text.startsWith('!')) return 'must not start with "!": write a deny rule instead';
  if (text.includes('***')) return 'must not hold "***": patterns know * and ** only';
  const found = /[?[\]{}()|\\]/.exec(text)?.[0] ?? '';
  return `must not hold "${found}": patterns know * and ** only`;
}

/** True where a value can be matched at all. */
export function isMatchable(value: string): boolean {
  return !UNMATCHABLE.test(value);
}

/** Matches text as it is, without NFC: for file paths, where two spellings can be two files. */
export function matchWhole(pattern: string, value: string): boolean {
  if (!isMatchable(value)) return false;
  const tokens = tokenize(pattern);
  let states = new Uint8Array(tokens.length + 1);
  let next = new Uint8Array(tokens.length + 1);
  states[0] = 1;
  skipWildcards(tokens, states);
  for (let index = 0; index < value.length; index += 1) {
    next.fill(0);
    let alive = false;
    for (let at = 0; at < tokens.length; at += 1) {
      if (states[at] === 0) continue;
      const token = tokens[at];
      const char = value[index];
      if (token === '**' || (token === '*' && char !== '/')) next[at] = 1;
      else if (token === char && token !== '*') next[at + 1] = 1;
      else continue;
      alive = true;
    }
    if (!alive) return false;
    skipWildcards(tokens, next);
    [states, next] = [next, states];
  }
  return states[tokens.length] === 1;
}

/** Characters, with each run of `*` as one token. */
function tokenize(pattern: string): readonly string[] {
  return pattern.match(/\*\*|[\s\S]/g) ?? [];
}

/** A wildcard may also match nothing: the state before it is at the same time the one after it. */
function skipWildcards(tokens: readonly string[], states: Uint8Array): void {
  for (let at = 0; at < tokens.length; at += 1) {
    if (states[at] === 1 && (tokens[at] === '*' || tokens[at] === '**')) states[at + 1] = 1;
  }
}
