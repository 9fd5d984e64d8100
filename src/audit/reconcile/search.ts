/** What was searched for events, and what of it is known rather than stated. */
import type { SearchSource, Statement } from '../record/reconciled-record.ts';
import type { TrailEvent } from './event.ts';

export interface Search {
  readonly source: SearchSource;
  /** Named by the operator. */
  readonly regions: readonly string[];
  readonly stated: ReadonlySet<Statement>;
  /** When the search began; by AWS's clock where AWS was asked. */
  readonly at: Date;
  /** True where a file, or a part of one, could not be read. */
  readonly unreadable: boolean;
  /** True where there was more than is read. */
  readonly cut: boolean;
  readonly witness: Witness;
}

/**
 * What the events of everybody show about the files that hold them: that one of an account goes up to some time, and
 * holds data events of a service. A statement of the operator's that they contradict is not taken.
 */
export class Witness {
  readonly #newest = new Map<string, number>();
  readonly #data = new Set<string>();

  see({ account, time, data, source }: TrailEvent): void {
    if (time > (this.#newest.get(account) ?? Number.NEGATIVE_INFINITY)) this.#newest.set(account, time);
    if (data) this.#data.add(`${account} ${source}`);
  }

  /** The newest event of an account, in milliseconds; minus infinity for none. */
  newestOf(account: string): number {
    return this.#newest.get(account) ?? Number.NEGATIVE_INFINITY;
  }

  hasDataEvents(account: string, source: string): boolean {
    return this.#data.has(`${account} ${source}`);
  }
}

/** CloudTrail delivers within five minutes on average, and promises nothing: three times that is waited for. */
export const DELIVERY_DELAY_MS = 15 * 60 * 1000;

/** How far back LookupEvents looks. */
export const LOOKUP_DAYS = 90;

/** Where a partition records the calls of services that have no region, such as IAM and CloudFront; null where not known. */
export function globalRegion(partition: string): string | null {
  return { aws: 'us-east-1', 'aws-us-gov': 'us-gov-west-1', 'aws-cn': 'cn-north-1' }[partition] ?? null;
}
