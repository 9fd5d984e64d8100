/**
 * `ExportLogsServiceRequest` as a strict collector reads it: opentelemetry-proto's collector/logs/v1, logs/v1, resource/v1
 * and common/v1 in the JSON form of OTLP. A real one ignores names that it doesn't know; here they are faults.
 */
import * as v from 'valibot';

const TEXT = v.pipe(
  v.string(),
  v.check((text) => !/\p{Cs}/u.test(text), 'not UTF-8'),
);
/** A 64-bit number: JSON's would lose digits. */
const FIXED64 = v.pipe(
  v.string(),
  v.regex(/^\d{1,20}$/),
  v.check((text) => BigInt(text) < 2n ** 64n),
);
const INT64 = v.pipe(
  v.string(),
  v.regex(/^-?\d{1,19}$/),
  v.check((text) => BigInt.asIntN(64, BigInt(text)) === BigInt(text)),
);
const UINT32 = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 32 - 1));

/** A oneof: each variant has its one key. */
const ANY_VALUE: v.GenericSchema<unknown> = v.union([
  v.strictObject({ stringValue: TEXT }),
  v.strictObject({ boolValue: v.boolean() }),
  v.strictObject({ intValue: INT64 }),
  v.strictObject({ doubleValue: v.pipe(v.number(), v.finite()) }),
  v.strictObject({ arrayValue: v.strictObject({ values: v.array(v.lazy(() => ANY_VALUE)) }) }),
]);

/** Of an attribute list, keys must be unique. */
const ATTRIBUTES = v.pipe(
  v.array(v.strictObject({ key: v.pipe(TEXT, v.nonEmpty()), value: ANY_VALUE })),
  v.check((list) => new Set(list.map(({ key }) => key)).size === list.length, 'a key twice'),
);

const LOG_RECORD = v.strictObject({
  timeUnixNano: v.optional(FIXED64),
  observedTimeUnixNano: v.optional(FIXED64),
  severityNumber: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(24)),
  severityText: v.optional(TEXT),
  eventName: v.optional(TEXT),
  body: ANY_VALUE,
  attributes: ATTRIBUTES,
  droppedAttributesCount: v.optional(UINT32),
  flags: v.optional(UINT32),
  traceId: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/i))),
  spanId: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/i))),
});

const REQUEST = v.strictObject({
  resourceLogs: v.array(
    v.strictObject({
      resource: v.strictObject({ attributes: ATTRIBUTES }),
      scopeLogs: v.array(
        v.strictObject({
          scope: v.strictObject({ name: TEXT, version: v.optional(TEXT) }),
          logRecords: v.array(LOG_RECORD),
        }),
      ),
    }),
  ),
});

export type LogRecord = v.InferOutput<typeof LOG_RECORD>;

/** A log record, and the attributes of who wrote it. */
export interface ReceivedRecord {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly record: LogRecord;
  /** As plain values: whole numbers as bigint. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** The records of a request, in order. Throws what is wrong with it. */
export function readRequest(body: string): ReceivedRecord[] {
  return v.parse(REQUEST, JSON.parse(body)).resourceLogs.flatMap(({ resource, scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map((record) => ({
        resource: plainAttributes(resource.attributes),
        record,
        attributes: plainAttributes(record.attributes),
      })),
    ),
  );
}

function plainAttributes(list: v.InferOutput<typeof ATTRIBUTES>): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }) => [key, plain(value)]));
}

function plain(value: unknown): unknown {
  const [kind, inner] = Object.entries(value as object)[0] ?? [];
  if (kind === 'intValue') return BigInt(inner as string);
  return kind === 'arrayValue' ? (inner as { values: unknown[] }).values.map(plain) : inner;
}
