/**
 * What may stand in one field of a record: each rule takes a value as it came and returns the one to write. A value
 * of another type is a defect of capwrap and refused; a text that is too long is cut, and the cut is noted.
 */
import { createHash } from 'node:crypto';
import { toJson } from '../../base/escape.ts';
import { CapwrapError } from '../../errors.ts';

/** A value that was cut: size and SHA-256 of the whole one. */
export interface Cut {
  readonly bytes: number;
  readonly sha256: string;
}

/** `at` names the field; `cuts` collects what was cut, by field. */
export type FieldRule = (value: unknown, at: string, cuts: Record<string, Cut>) => unknown;

/** Text of at most `max` bytes as JSON, and of `form` where one is given. */
export function text(max: number, form?: RegExp): FieldRule {
  return (value, at, cuts) => {
    if (typeof value !== 'string' || (form && !form.test(value))) throw misfit(at);
    const wellFormed = value.replace(LONE_SURROGATE, '\ufffd');
    const kept = prefix(wellFormed, max);
    if (kept !== wellFormed) cuts[at] = cutOf(wellFormed);
    return kept;
  };
}

/** A list of texts of together at most `max` bytes as JSON. Its hash covers each text followed by a NUL, as in /proc/PID/cmdline. */
export function texts(max: number): FieldRule {
  return (value, at, cuts) => {
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw misfit(at);
    const wellFormed = value.map((item) => item.replace(LONE_SURROGATE, '\ufffd'));
    const kept: string[] = [];
    let left = max;
    for (const item of wellFormed) {
      const start = prefix(item, left - PUNCTUATION);
      if (left >= PUNCTUATION) kept.push(start);
      left -= PUNCTUATION + jsonLength(start);
      if (start === item && left >= 0) continue;
      cuts[at] = cutOf(wellFormed.map((each) => `${each}\0`).join(''));
      break;
    }
    return kept;
  };
}

export function oneOf(allowed: readonly string[]): FieldRule {
  return (value, at) => {
    if (typeof value !== 'string' || !allowed.includes(value)) throw misfit(at);
    return value;
  };
}

/** A list of at most `most` values that `rule` takes. */
export function listOf(rule: FieldRule, most = 16): FieldRule {
  return (value, at, cuts) => {
    if (!Array.isArray(value) || value.length > most) throw misfit(at);
    return value.map((item) => rule(item, at, cuts));
  };
}

export function orNull(rule: FieldRule): FieldRule {
  return (value, at, cuts) => (value === null ? null : rule(value, at, cuts));
}

export const number: FieldRule = (value, at) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw misfit(at);
  return value;
};

export const flag: FieldRule = (value, at) => {
  if (typeof value !== 'boolean') throw misfit(at);
  return value;
};

/** An object with these fields and no others; they are written in this order, those that are undefined left out. */
export function shape(rules: Readonly<Record<string, FieldRule>>): FieldRule {
  return (value, at, cuts) => {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) throw misfit(at);
    const under = (name: string) => (at === '' ? name : `${at}.${name}`);
    for (const name of Object.keys(value)) if (!Object.hasOwn(rules, name)) throw misfit(under(name));
    const given = value as Readonly<Record<string, unknown>>;
    return Object.fromEntries(
      Object.entries(rules)
        .filter(([name]) => Object.hasOwn(given, name) && given[name] !== undefined)
        .map(([name, rule]) => [name, rule(given[name], under(name), cuts)]),
    );
  };
}

const LONE_SURROGATE = /\p{Cs}/gu;

/** Two quotes and a comma. */
const PUNCTUATION = 3;

/** Names the field and never its value. */
function misfit(at: string): CapwrapError {
  return new CapwrapError('ERR_INTERNAL', `"${at}" is no field of an audit record, or not of its type`);
}

function cutOf(whole: string): Cut {
  const bytes = Buffer.from(whole);
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** The longest start of a text that takes at most `max` bytes inside JSON quotes. */
function prefix(whole: string, max: number): string {
  if (whole.length * LONGEST_ESCAPE <= max || jsonLength(whole) <= max) return whole;
  let length = 0;
  let end = 0;
  for (const char of whole) {
    length += jsonLength(char);
    if (length > max) break;
    end += char.length;
  }
  return whole.slice(0, end);
}

/** `\u2028`: six bytes for one UTF-16 unit. */
const LONGEST_ESCAPE = 6;

function jsonLength(value: string): number {
  return Buffer.byteLength(toJson(value)) - 2;
}
