/**
 * A record of the log as an OpenTelemetry log record, in the JSON form of OTLP: proto3's JSON mapping with 64-bit integers
 * as decimal strings and enums as numbers (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). It depends on
 * the line alone, so that a record that is sent again is the same to the byte.
 */
import { RECORD_FIELDS } from '../record/build-record.ts';
import type { AuditEvent } from '../record/record.ts';
import { type StoredRecord, textAt } from '../record/stored-record.ts';
import { ATTRIBUTE_NAMES, EVENT_NAMES, NO_ATTRIBUTE } from './otlp-names.ts';
import { SEVERITIES, severityOf } from './severity.ts';

type AnyValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly arrayValue: { readonly values: readonly AnyValue[] } };

interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

/** Who wrote the record: the `Resource` of the log records under it. */
export function toResource(record: StoredRecord): object {
  const [host, version] = [textAt(record, 'host'), textAt(record, 'version')];
  return {
    attributes: [
      attribute('service.name', 'capwrap'),
      ...(version === undefined ? [] : [attribute('service.version', version)]),
      ...(host === undefined ? [] : [attribute('host.name', host)]),
    ],
  };
}

/**
 * The `LogRecord`. Its body is the line as it stands in the log, so that whoever keeps it can check the chain; its
 * attributes are the record's known fields, for searching. What can't be one (a `null`, a shape that no record of capwrap's
 * has) is in the body alone, and such a shape is counted as dropped.
 */
export function toLogRecord(line: Buffer, record: StoredRecord): object {
  const time = nanoseconds(textAt(record, 'timestamp'));
  const severity = severityOf(record);
  const event = textAt(record, 'event') ?? '';
  const { attributes, dropped } = attributesOf(record);
  return {
    ...(time !== null && { timeUnixNano: time, observedTimeUnixNano: time }),
    severityNumber: SEVERITIES[severity],
    severityText: severity,
    ...(isKnown(event) && { eventName: EVENT_NAMES[event] }),
    body: { stringValue: line.toString() },
    attributes,
    ...(dropped > 0 && { droppedAttributesCount: dropped }),
  };
}

function isKnown(event: string): event is AuditEvent {
  return Object.hasOwn(EVENT_NAMES, event);
}

/** Null where the text is no time that 64 bits can hold: the data model knows records without one. */
function nanoseconds(timestamp: string | undefined): string | null {
  const time = Date.parse(timestamp ?? '');
  return time > 0 && time <= LAST_MS ? `${time}000000` : null;
}

const LAST_MS = 18_446_744_073_709;

function attributesOf(record: StoredRecord): { readonly attributes: KeyValue[]; readonly dropped: number } {
  const attributes = [...ownerAndName(textAt(record, 'repo'))];
  let dropped = 0;
  const add = (path: string, value: unknown, depth: number): void => {
    if (value === undefined || value === null) return;
    const converted = toAnyValue(value, path);
    if (converted) attributes.push({ key: ATTRIBUTE_NAMES[path] ?? `capwrap.${path}`, value: converted });
    else if (typeof value !== 'object' || Array.isArray(value) || depth === DEEPEST) dropped++;
    else
      for (const [name, inner] of Object.entries(value)) {
        if (PLAIN_NAME.test(name)) add(`${path}.${name}`, inner, depth + 1);
        else dropped++;
      }
  };
  for (const field of RECORD_FIELDS) if (!NO_ATTRIBUTE.has(field)) add(field, record[field], 1);
  return { attributes: attributes.slice(0, MOST), dropped: dropped + Math.max(0, attributes.length - MOST) };
}

/** `facts.repo.value` is the deepest that capwrap writes. */
const DEEPEST = 3;
const PLAIN_NAME = /^[\w.]{1,64}$/;

/** More than any record of capwrap's has. */
const MOST = 160;

/** Numbers with a fraction now and then: a backend wants one type for a name. */
const DOUBLES: ReadonlySet<string> = new Set(['clock_skew_seconds']);

function toAnyValue(value: unknown, path: string): AnyValue | null {
  if (typeof value === 'string') return { stringValue: wellFormed(value) };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number' && Number.isFinite(value)) {
    const whole = Number.isSafeInteger(value) && !DOUBLES.has(path);
    return whole ? { intValue: String(value) } : { doubleValue: value };
  }
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) return null;
  return {
    arrayValue: { values: value.map((item) => ({ stringValue: wellFormed(item) })) },
  };
}

/** Protobuf's strings are UTF-8, which has no lone surrogates. */
function wellFormed(text: string): string {
  return SURROGATE.test(text) ? text.replace(LONE_SURROGATE, '\ufffd') : text;
}

const SURROGATE = /[\ud800-\udfff]/;
const LONE_SURROGATE = /\p{Cs}/gu;

/** The conventions want the two apart. */
function ownerAndName(repo: string | undefined): KeyValue[] {
  const [, owner, name] = /^(.+)\/([^/]+)$/.exec(repo ?? '') ?? [];
  if (owner === undefined || name === undefined) return [];
  return [attribute('vcs.owner.name', owner), attribute('vcs.repository.name', name)];
}

function attribute(key: string, text: string): KeyValue {
  return { key, value: { stringValue: wellFormed(text) } };
}
