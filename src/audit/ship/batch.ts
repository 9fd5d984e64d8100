/** Records in portions that a collector takes: bounded by count and by bytes, so that memory is, too. */
import type { ChainHead } from '../log/chain.ts';
import { toLogRecord, toResource } from './otlp-record.ts';
import type { UnsentRecord } from './unsent.ts';

export interface Batch {
  readonly first: number;
  readonly last: ChainHead;
  readonly count: number;
  /** Records before the first that are not in the log any more. */
  readonly missed: number;
  /** An `ExportLogsServiceRequest` in the JSON form of OTLP; the same bytes for the same records. */
  readonly body: string;
}

export interface BatchLimits {
  readonly records: number;
  /** Of the records in the body, before it is compressed; one alone may take more. */
  readonly bytes: number;
}

/** Collectors take 20 MiB by default, and proxies before them often 1 MiB, of which gzip leaves a tenth. */
export const BATCH_LIMITS: BatchLimits = { records: 512, bytes: 1024 * 1024 };

/**
 * Puts records together, in order. `endAt`, the last record of a batch that was sent before without an answer, ends the
 * first batch, so that it is the same one again. Throws as `records` does, once what stands before has been handed out.
 */
export function* batchesOf(
  records: Iterable<UnsentRecord>,
  limits: BatchLimits,
  endAt: number | null,
): Generator<Batch> {
  let waiting: Encoded[] = [];
  let bytes = 0;
  const take = (): Batch => {
    const batch = toBatch(waiting);
    waiting = [];
    bytes = 0;
    return batch;
  };
  try {
    for (const unsent of records) {
      const encoded = encode(unsent);
      if (waiting.length > 0 && bytes + encoded.bytes > limits.bytes) yield take();
      waiting.push(encoded);
      bytes += encoded.bytes;
      if (waiting.length >= limits.records || unsent.head.seq === endAt) yield take();
    }
  } catch (error) {
    if (waiting.length > 0) yield take();
    throw error;
  }
  if (waiting.length > 0) yield take();
}

interface Encoded {
  readonly unsent: Pick<UnsentRecord, 'head' | 'missed'>;
  readonly resource: string;
  readonly record: string;
  readonly bytes: number;
}

function encode({ line, record, head, missed }: UnsentRecord): Encoded {
  const text = JSON.stringify(toLogRecord(line, record));
  return {
    unsent: { head, missed },
    resource: JSON.stringify(toResource(record)),
    record: text,
    bytes: Buffer.byteLength(text),
  };
}

function toBatch(records: readonly Encoded[]): Batch {
  const first = records[0]?.unsent;
  const last = records.at(-1)?.unsent;
  if (!first || !last) throw new Error('a batch has at least one record');
  return {
    first: first.head.seq,
    last: last.head,
    count: records.length,
    missed: first.missed,
    body: toRequest(records),
  };
}

/** Neighbours that the same host and version wrote share a resource. */
function toRequest(records: readonly Encoded[]): string {
  const groups: { readonly resource: string; readonly records: string[] }[] = [];
  for (const { resource, record } of records) {
    const group = groups.at(-1);
    if (group?.resource === resource) group.records.push(record);
    else groups.push({ resource, records: [record] });
  }
  const resourceLogs = groups.map(
    (group) =>
      `{"resource":${group.resource},"scopeLogs":[{"scope":{"name":"capwrap.audit"},"logRecords":[${group.records.join(',')}]}]}`,
  );
  return `{"resourceLogs":[${resourceLogs.join(',')}]}`;
}
