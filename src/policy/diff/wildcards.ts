/**
 * Does one wildcard pattern match all that another one matches? Decided by walking both as automata: every way through
 * the narrower one is followed by all ways through the broader one at once. The answer true is exact; where the walk
 * grows too long, it is false.
 */

/** One step of a pattern: a UTF-16 code unit, or a wildcard. */
export type Token = string | Wildcard;

export interface Wildcard {
  /** Any number of characters, or exactly one. */
  readonly many: boolean;
  /** The one character that it does not stand for; null for none. */
  readonly not: string | null;
}

/** Single steps of a walk before it is given up: far more than patterns that people read take. */
const MAX_STEPS = 5_000;

/** Stands for every character that the broader pattern does not name. */
const OTHER = 'other';

/** True only where `broad` matches every text that `narrow` matches. */
export function includes(broad: readonly Token[], narrow: readonly Token[]): boolean {
  const alphabet = new Set([...[...broad, ...narrow].flatMap(namedBy), OTHER]);
  const seen = new Set<string>();
  const open: [at: number, states: readonly number[]][] = [[0, closure(broad, [0])]];
  let steps = 0;
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    const [at, states] = pair;
    const key = `${at}|${states.join()}`;
    if (seen.has(key) || states.some((state) => isUniversal(broad, state))) continue;
    // A pattern can be completed from each of its states, so a way that the broader one can't follow has an end.
    if (states.length === 0 || steps > MAX_STEPS) return false;
    seen.add(key);
    const token = narrow[at];
    if (token === undefined) {
      if (!states.includes(broad.length)) return false;
      continue;
    }
    if (isMany(token)) open.push([at + 1, states]);
    for (const char of typeof token === 'string' ? [token] : alphabet) {
      if (!accepts(token, char)) continue;
      steps += states.length;
      open.push([isMany(token) ? at : at + 1, step(broad, states, char)]);
    }
  }
  return true;
}

/** True only where no text is matched by both. */
export function disjoint(one: readonly Token[], other: readonly Token[]): boolean {
  const alphabet = new Set([...[...one, ...other].flatMap(namedBy), OTHER]);
  const seen = new Set<string>();
  const open: [number, number][] = [[0, 0]];
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    const [a, b] = pair;
    if (seen.has(pair.join())) continue;
    if (seen.size > MAX_STEPS || (a === one.length && b === other.length)) return false;
    seen.add(pair.join());
    const [left, right] = [one[a], other[b]];
    if (isMany(left)) open.push([a + 1, b]);
    if (isMany(right)) open.push([a, b + 1]);
    if (left === undefined || right === undefined) continue;
    for (const char of typeof left === 'string' ? [left] : alphabet) {
      if (!accepts(left, char) || !accepts(right, char)) continue;
      open.push([isMany(left) ? a : a + 1, isMany(right) ? b : b + 1]);
    }
  }
  return true;
}

/** The characters that tell tokens apart. */
function namedBy(token: Token): readonly string[] {
  if (typeof token === 'string') return [token];
  return token.not === null ? [] : [token.not];
}

function isMany(token: Token | undefined): boolean {
  return typeof token === 'object' && token.many;
}

function accepts(token: Token, char: string): boolean {
  return typeof token === 'string' ? token === char : token.not !== char;
}

function step(tokens: readonly Token[], states: readonly number[], char: string): readonly number[] {
  const next = states.flatMap((state) => {
    const token = tokens[state];
    if (token === undefined || !accepts(token, char)) return [];
    return [isMany(token) ? state : state + 1];
  });
  return closure(tokens, next);
}

/** A wildcard may stand for nothing: its state is at the same time the one after it. Sorted, each once. */
function closure(tokens: readonly Token[], states: readonly number[]): readonly number[] {
  const all = new Set(states);
  for (const state of all) if (isMany(tokens[state])) all.add(state + 1);
  return [...all].sort((a, b) => a - b);
}

/** True in a last `**`, after which whatever comes is matched. */
function isUniversal(tokens: readonly Token[], state: number): boolean {
  const token = tokens[state];
  return state === tokens.length - 1 && typeof token === 'object' && token.many && token.not === null;
}
