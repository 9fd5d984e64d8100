/** Heads that were left elsewhere, held against the log as it is: each one vouches for the records up to its own. */
import type { LeftHead } from './head.ts';
import type { HeadIndex } from './head-index.ts';

/** A head, and the name of the text in which it was found. */
export interface HeadFrom {
  readonly head: LeftHead;
  readonly from: string;
}

/** Heads that say the same of the log, and of them the one with the smallest seq. */
export interface Tally {
  readonly heads: number;
  readonly first: HeadFrom;
}

/** What is known of the log: its chain was checked up to `last`. */
export interface CheckedLog {
  /** Null where the log doesn't tell it. */
  readonly id: string | null;
  readonly place: string;
  readonly index: HeadIndex;
  readonly last: number;
  /** False where the chain breaks behind `last`, so that nothing is known of what follows. */
  readonly whole: boolean;
}

export interface Judgement {
  /** Records of which a head was found that fits. */
  readonly matching: number;
  /** The newest of them; null where none fits. */
  readonly newest: HeadFrom | null;
  /** Heads of records behind the log's end. */
  readonly truncated: Tally | null;
  /** Heads whose record has another hash now; `after` is the newest record before it that a head fits, or 0. */
  readonly rewritten: (Tally & { readonly after: number }) | null;
  /** Heads of another log at the place of this one. */
  readonly replaced: { readonly heads: number; readonly logs: readonly string[] } | null;
  /** Heads of logs of other places: nothing follows from them. */
  readonly others: { readonly heads: number; readonly logs: number };
  /** Heads of records that were removed from the front of the log. */
  readonly removed: number;
  /** Heads of records behind the place where the chain breaks. */
  readonly unjudged: number;
}

/** So many heads behind the end are judged once more at the end, because a log that is in use grows meanwhile. */
const JUDGED_AGAIN = 10_000;

export class HeadJudge {
  private log: CheckedLog;
  /** Where the log is, and where it was when its heads were left. */
  private readonly places: Set<string>;
  /** Heads of other logs, by place and log. */
  private readonly strangers = new Map<string, Map<string, number>>();
  private matching = 0;
  private newest: HeadFrom | null = null;
  private truncated: Tally | null = null;
  private rewritten: Tally | null = null;
  private removed = 0;
  private unjudged = 0;
  private beyond: HeadFrom[] = [];

  constructor(log: CheckedLog) {
    this.log = log;
    this.places = new Set([log.place]);
  }

  add(found: HeadFrom): void {
    const { index, last, whole } = this.log;
    const { head } = found;
    if (head.seq <= last && index.has(head)) {
      this.places.add(head.place);
      if (index.note(head.seq)) this.matching++;
      if (this.newest === null || head.seq > this.newest.head.seq) this.newest = found;
    } else if (!this.isOfThisLog(head)) this.addStranger(head);
    else if (head.seq > last && !whole) this.unjudged++;
    else if (head.seq > last && this.beyond.length < JUDGED_AGAIN) this.beyond.push(found);
    else if (head.seq > last) this.truncated = tally(this.truncated, found);
    else if (head.seq < (index.start ?? 1)) this.removed++;
    else this.rewritten = tally(this.rewritten, found);
  }

  /** True where a head is of a record that the log didn't have when it was checked, and may have by now. */
  get wantsLaterLook(): boolean {
    return this.beyond.length > 0;
  }

  /** The end, with the log as it was checked last. */
  settle(log: CheckedLog): Judgement {
    this.log = log;
    const late = this.beyond;
    this.beyond = [];
    for (const found of late) this.add(found);
    for (const found of this.beyond) this.truncated = tally(this.truncated, found);
    const { matching, newest, truncated, rewritten, removed, unjudged } = this;
    const after = rewritten === null ? 0 : log.index.notedBefore(rewritten.first.head.seq);
    return {
      matching,
      newest,
      truncated,
      rewritten: rewritten && { ...rewritten, after },
      ...this.settleStrangers(),
      removed,
      unjudged,
    };
  }

  private isOfThisLog({ logId, place }: LeftHead): boolean {
    return this.log.id === null ? this.places.has(place) : logId === this.log.id;
  }

  private addStranger({ logId, place }: LeftHead): void {
    const logs = this.strangers.get(place) ?? new Map<string, number>();
    logs.set(logId, (logs.get(logId) ?? 0) + 1);
    this.strangers.set(place, logs);
  }

  private settleStrangers(): Pick<Judgement, 'replaced' | 'others'> {
    const all = [...this.strangers];
    const here = all.filter(([place]) => this.places.has(place)).flatMap(([, logs]) => [...logs]);
    const elsewhere = all.filter(([place]) => !this.places.has(place)).flatMap(([, logs]) => [...logs]);
    return {
      replaced:
        here.length === 0 ? null : { heads: headsOf(here), logs: [...new Set(here.map(([log]) => log))] },
      others: { heads: headsOf(elsewhere), logs: new Set(elsewhere.map(([log]) => log)).size },
    };
  }
}

function tally(so: Tally | null, found: HeadFrom): Tally {
  if (so === null) return { heads: 1, first: found };
  return { heads: so.heads + 1, first: found.head.seq < so.first.head.seq ? found : so.first };
}

function headsOf(logs: readonly (readonly [log: string, heads: number])[]): number {
  return logs.reduce((sum, [, heads]) => sum + heads, 0);
}
