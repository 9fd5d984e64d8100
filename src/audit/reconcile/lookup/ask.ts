/** One call of LookupEvents through the official SDK: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html */
import { credentialsOf, fixedSettings } from '../../../broker/providers/aws-sts/client-settings.ts';
import { createTransport, type Seen } from '../../../broker/providers/aws-sts/transport.ts';
import type { KeyProof } from '../../../broker/sources/proof.ts';
import { explainLookupFailure, isThrottling } from './failure.ts';

export type CloudTrailSdk = typeof import('./sdk.ts');

/** Who asks, and where. */
export interface LookupPlace {
  readonly sdk: CloudTrailSdk;
  readonly proof: KeyProof;
  readonly region: string;
  readonly endpoint: URL;
  readonly signal: AbortSignal;
}

export interface LookupQuery {
  readonly attribute: 'AccessKeyId' | 'Username' | 'ResourceName';
  readonly value: string;
  readonly from: Date;
  readonly until: Date;
}

export interface LookupPage {
  /** `CloudTrailEvent` of each: a whole event as JSON. */
  readonly events: readonly string[];
  readonly next: string | null;
  /** The answer's `Date`; null where it has none. */
  readonly date: Date | null;
}

/** Throttled: the same call may be made again later. */
export const THROTTLED = Symbol('throttled');

/** Fifty events of at most 256 KiB, escaped once more inside JSON. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/**
 * Sends one call, exactly once, with these keys and nothing that variables or files say. Throws a CapwrapError that says
 * what to change.
 */
export async function askEvents(
  { sdk, proof, region, endpoint, signal }: LookupPlace,
  query: LookupQuery,
  next: string | null,
): Promise<LookupPage | typeof THROTTLED> {
  const seen: Seen = { sentAt: null, receivedAt: null, answer: null, fault: null };
  const client = new sdk.CloudTrailClient({
    region,
    endpoint: endpoint.href,
    requestHandler: createTransport({
      ca: null,
      signal,
      now: () => new Date(),
      seen,
      maxAnswerBytes: MAX_ANSWER_BYTES,
    }),
    ...fixedSettings(),
    credentials: credentialsOf(proof),
  });
  try {
    const { Events = [], NextToken } = await client.send(
      new sdk.LookupEventsCommand({
        LookupAttributes: [{ AttributeKey: query.attribute, AttributeValue: query.value }],
        StartTime: query.from,
        EndTime: query.until,
        MaxResults: 50,
        ...(next !== null && { NextToken: next }),
      }),
    );
    const date = new Date(seen.answer?.headers['date'] ?? '');
    return {
      events: Events.map(({ CloudTrailEvent = '' }) => CloudTrailEvent),
      next: NextToken || null,
      date: Number.isNaN(date.getTime()) ? null : date,
    };
  } catch (error) {
    if (isThrottling(error)) return THROTTLED;
    throw explainLookupFailure(error, { region, host: endpoint.host, label: proof.label }, seen);
  } finally {
    client.destroy();
  }
}
