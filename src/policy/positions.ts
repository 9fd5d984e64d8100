/** Line and column of a place in the map, looked up only when there is something to say about it. */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair } from 'yaml';
import { looksLikeCredential } from './credential-shape.ts';
import type { Place } from './map-place.ts';

/** Which side of a `key: value` is meant; or offsets in the text, for what has no place of its own. */
export type Part = 'key' | 'value' | readonly [start: number, end: number];

export interface Position {
  readonly line: number;
  readonly column: number;
  /** The text there, one line, shortened; empty where it could be a secret. */
  readonly text: string;
}

export interface Positions {
  /** The position of a place, or of the nearest thing above it that exists. */
  of(place: Place, part?: Part): Position;
}

/** The position of offsets in the text; lines and columns count from 1. */
export function positionAt(text: string, start: number, end = start): Position {
  return positionIn(text, lineStarts(text), start, end);
}

function positionIn(text: string, starts: readonly number[], start: number, end: number): Position {
  let [low, high] = [0, starts.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] as number) <= start) low = middle;
    else high = middle;
  }
  return { line: low + 1, column: start - (starts[low] ?? 0) + 1, text: excerpt(text.slice(start, end)) };
}

/** Offsets at which lines begin, worked out once: a large map can have a finding on every line. */
function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** Positions by the tree of the parsed document. */
export function positionsIn(text: string, document: Document): Positions {
  let starts: readonly number[] | null = null;
  return {
    of(place, part = 'value') {
      const [start, end] = typeof part === 'string' ? rangeOf(document, place, part) : part;
      starts ??= lineStarts(text);
      const position = positionIn(text, starts, start, end);
      return holdsSecrets(place, part) ? { ...position, text: '' } : position;
    },
  };
}

function rangeOf(
  document: Document,
  place: Place,
  part: Part,
): readonly [start: number, end: number, ...unknown[]] {
  const { key, value } = find(document, place);
  return (part === 'value' && valueRange(value)) || key?.range || [0, 0];
}

interface Found {
  /** The key; of a list item, the item. */
  readonly key: Node | null;
  readonly value: Node | null;
}

function find(document: Document, place: Place): Found {
  let found: Found = { key: null, value: document.contents };
  for (const part of place) {
    const next = step(document, found, part);
    if (next === null) return { key: found.key, value: null };
    found = next;
  }
  return found;
}

function step(document: Document, { value }: Found, part: string | number): Found | null {
  const node = isAlias(value) ? value.resolve(document) : value;
  if (isSeq(node) && typeof part === 'number') {
    const item = node.items[part];
    return item === undefined ? null : { key: item as Node, value: item as Node };
  }
  if (!isMap(node)) return null;
  const pair = node.items.find((candidate) => isScalar(candidate.key) && candidate.key.value === part) as
    | Pair<Node, Node | null>
    | undefined;
  return pair === undefined ? null : { key: pair.key, value: pair.value };
}

/** A block mapping or list starts lines below its key, and an empty value nowhere: both are better shown at the key. */
function valueRange(node: Node | null): Node['range'] {
  if (!node?.range || node.range[0] === node.range[1]) return null;
  return (isMap(node) || isSeq(node)) && !node.flow ? null : node.range;
}

function holdsSecrets(place: Place, part: Part): boolean {
  return part === 'value' && place.includes('set');
}

function excerpt(text: string): string {
  if (looksLikeCredential(text) !== null) return '';
  const line = text.split('\n', 1)[0]?.trim() ?? '';
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}
