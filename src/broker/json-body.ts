/** Reading a provider's JSON answer: values by their place, secrets first, and of its words only those that are known. */
import { isJsonObject } from '../base/json-object.ts';
import type { BrokerContext } from './provider.ts';

/** Names from the outside in; `*` stands for every entry of an object or list. */
export type JsonPath = readonly string[];

/** The value at a path of names; undefined where there is none. */
export function valueAt(body: unknown, ...path: JsonPath): unknown {
  let value = body;
  for (const name of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** Text at a path; null where there is none, or an empty one. */
export function textAt(body: unknown, ...path: JsonPath): string | null {
  const value = valueAt(body, ...path);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** A finite number at a path; null where there is none. Digits in quotes are no number. */
export function numberAt(body: unknown, ...path: JsonPath): number | null {
  const value = valueAt(body, ...path);
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** A list of texts at a path; null where there is none. */
export function textsAt(body: unknown, ...path: JsonPath): readonly string[] | null {
  const value = valueAt(body, ...path);
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : null;
}

/**
 * Tells the masker of every text at the given places, before anything looks at the answer. With `*` in its path a text
 * is named after its own key.
 */
export function registerSecrets(
  body: unknown,
  places: Readonly<Record<string, JsonPath>>,
  context: Pick<BrokerContext, 'registerSecret'>,
): void {
  for (const [name, path] of Object.entries(places)) registerAt(body, path, name, context);
}

function registerAt(
  value: unknown,
  path: JsonPath,
  name: string,
  context: Pick<BrokerContext, 'registerSecret'>,
): void {
  const [step, ...rest] = path;
  if (step === undefined) {
    // A line break or blank at an end is no part of what a program would print.
    const text = typeof value === 'string' ? value.trim() : '';
    if (text !== '') context.registerSecret(name, text);
    if (text !== '' && text !== value) context.registerSecret(name, value as string);
  } else if (step === '*') {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, entry] of Object.entries(value))
      registerAt(entry, rest, Array.isArray(value) ? name : key, context);
  } else {
    registerAt(valueAt(value, step), rest, name, context);
  }
}

/**
 * The first entry of `known` that the answer says at `path` (by default OAuth's `error`, RFC 6749 section 5.2), or null.
 * A code has to be there exactly; an entry with a blank in it is a phrase, and may stand in a longer text. What comes
 * back is always an entry of the list, so nothing that a server wrote can get into a message.
 */
export function errorWords(
  body: unknown,
  known: readonly string[],
  path: JsonPath = ['error'],
): string | null {
  const value = valueAt(body, ...path);
  const said = (Array.isArray(value) ? value : [value]).filter((text) => typeof text === 'string');
  const isSaid = (entry: string) =>
    said.some((text) => text === entry || (entry.includes(' ') && text.includes(entry)));
  return known.find(isSaid) ?? null;
}
