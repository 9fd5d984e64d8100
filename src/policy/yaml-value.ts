/**
 * A document tree as plain values: objects without a prototype, arrays, text, numbers, booleans, null.
 *
 * What YAML allows and a reviewed policy does not want is a fault here: tags, many or circular aliases, merge keys,
 * keys that are no text, keys that differ only in how Unicode spells them, and keys that JavaScript treats specially.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type YAMLMap } from 'yaml';
import type { Report } from './fault.ts';
import type { Place } from './map-place.ts';

const MAX_ALIASES = 32;
/** Values after aliases are followed; a map of the largest size that anyone reads has a tenth of it. */
const MAX_VALUES = 100_000;
const MAX_DEPTH = 32;

const CORE_TAG = /^tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq)$/;
const SPECIAL_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

export function toValue(document: Document, report: Report): unknown {
  let aliases = 0;
  let values = 0;

  function convert(node: Node | null, place: Place, above: readonly Node[]): unknown {
    values += 1;
    if (values === MAX_VALUES) report([], 'alias_refused', '"map" holds too many values');
    if (values >= MAX_VALUES || node === null) return null;
    if (isAlias(node)) return follow(node.source, node.resolve(document) ?? null, place, above);
    if (node.tag !== undefined && !CORE_TAG.test(node.tag)) {
      report(place, 'tag_refused', `"${node.tag}" is a tag, and the map knows none`, 'delete the tag');
    }
    if (above.length > MAX_DEPTH) {
      report(place, 'too_deep', '"map" is nested too deeply');
      return null;
    }
    const path = [...above, node];
    if (isMap(node)) return convertMap(node, place, path);
    if (isSeq(node)) {
      return node.items.map((item, index) => convert(item as Node | null, [...place, index], path));
    }
    return isScalar(node) ? node.value : null;
  }

  function follow(name: string, target: Node | null, place: Place, above: readonly Node[]): unknown {
    aliases += 1;
    const tooMany = `"map" holds more than ${MAX_ALIASES} aliases`;
    if (aliases === MAX_ALIASES + 1) report(place, 'alias_refused', tooMany);
    if (aliases > MAX_ALIASES) return null;
    if (target === null) report(place, 'alias_refused', `"*${name}" refers to no anchor above it`);
    else if (above.includes(target)) report(place, 'alias_refused', `"*${name}" refers to itself`);
    else return convert(target, place, above);
    return null;
  }

  function convertMap(map: YAMLMap, place: Place, above: readonly Node[]): unknown {
    const object: Record<string, unknown> = Object.create(null);
    const spellings = new Map<string, string>();
    for (const pair of map.items) {
      const key = keyText(pair.key as Node | null, place, report);
      if (key === null) continue;
      const earlier = spellings.get(key.normalize('NFC'));
      if (earlier !== undefined) {
        const message = `"${key}" is there twice${earlier === key ? '' : ', in two Unicode spellings'}`;
        report([...place, key], 'duplicate_key', message, 'keep one of the two', rangeOf(pair.key as Node));
        continue;
      }
      spellings.set(key.normalize('NFC'), key);
      object[key] = convert(pair.value as Node | null, [...place, key], above);
    }
    return object;
  }

  return convert(document.contents, [], []);
}

/** A key as text, or null after saying why it can't be one. */
function keyText(node: Node | null, place: Place, report: Report): string | null {
  const key = isScalar(node) ? node.value : undefined;
  if (typeof key !== 'string') {
    const shown = isScalar(node) ? node.source || String(node.value) : null;
    const fix = shown === null ? 'write a word as key' : `put it in quotes: "${shown}":`;
    report(place, 'key_refused', `"${shown ?? '?'}" is a key that is not plain text`, fix, rangeOf(node));
    return null;
  }
  if (key === '<<') {
    const message = '"<<" is not supported: YAML 1.2 has no merge keys';
    report([...place, key], 'merge_refused', message, 'write the keys out, or use "defaults"', 'key');
    return null;
  }
  if (SPECIAL_KEYS.has(key)) {
    report([...place, key], 'key_refused', `"${key}" is a reserved key`, 'delete it', 'key');
    return null;
  }
  return key;
}

function rangeOf(node: Node | null): [start: number, end: number] {
  return [node?.range?.[0] ?? 0, node?.range?.[1] ?? 0];
}
