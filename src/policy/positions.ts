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
  const before = text.slice(0, start);
  const line = before.split('\n').length;
  return { line, column: start - (before.lastIndexOf('\n') + 1) + 1, text: excerpt(text.slice(start, end)) };
}

/** Positions by the tree of the parsed document. */
export function positionsIn(text: string, document: Document): Positions {
  return {
    of(place, part = 'value') {
      const [start, end] = typeof part === 'string' ? rangeOf(document, place, part) : part;
      const position = positionAt(text, start, end);
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
