/** Reading the YAML of the administrator's config: whatever isn't understood is a fault with its place. */
import { isMap, isScalar, isSeq, type Node, type YAMLMap } from 'yaml';
import type { CapwrapError } from '../errors.ts';

/** The error for a fault at an offset of the text. */
export type Invalid = (offset: number, why: string) => CapwrapError;

/** The values of a mapping by key; a value that is missing counts as a fault, not as a default. */
export function entries(
  node: Node,
  subject: string,
  keys: readonly string[] | RegExp,
  invalid: Invalid,
): Map<string, Node> {
  const found = new Map<string, Node>();
  if (!isMap(node)) throw invalid(start(node), `"${subject}" must be a mapping`);
  for (const { key, value } of (node as YAMLMap<Node, Node | null>).items) {
    const name = isScalar(key) ? String(key.value) : '?';
    const isKnown = keys instanceof RegExp ? keys.test(name) : keys.includes(name);
    if (!isKnown) {
      const known = keys instanceof RegExp ? '' : `; known: ${keys.join(', ')}`;
      throw invalid(start(key), `"${name}" is not a key of "${subject}"${known}`);
    }
    if (value === null) throw invalid(start(key), `"${name}" has no value`);
    found.set(name, value);
  }
  return found;
}

/** The texts of a list; an empty list, an empty text and one with a control character are faults. */
export function texts(node: Node, subject: string, invalid: Invalid): string[] {
  if (!isSeq(node)) throw invalid(start(node), `"${subject}" must be a list`);
  if (node.items.length === 0) throw invalid(start(node), `"${subject}" is empty`);
  return (node.items as Node[]).map((item) => {
    const text = isScalar(item) && typeof item.value === 'string' ? item.value.trim() : '';
    if (text === '') throw invalid(start(item), `"${subject}" may hold nothing but text`);
    if (/\p{Cc}/u.test(text)) throw invalid(start(item), `"${subject}" may hold no control character`);
    return text;
  });
}

/** Where a node begins in the text. */
export function start(node: Node): number {
  return node.range?.[0] ?? 0;
}
