/** What two rules ask for beside their conditions: the approval, the limits, the cap on the TTL. */
import { APPROVAL_GRADES } from '../../base/approval-grade.ts';
import { formatDuration } from '../../base/duration.ts';
import type { ApprovalDemand, Capability, Limits, Rule } from '../capability.ts';
import { compareBounds, compareExact, compareNames, compareRanks, type Direction } from './change.ts';

/** One term that differs. `key` is its place below the rule: `approval.count`. */
export interface TermChange {
  readonly key: string;
  readonly code: string;
  readonly direction: Direction;
  readonly before: string | null;
  readonly after: string | null;
}

interface Term<Value> {
  readonly key: string;
  readonly compare: (before: Value, after: Value) => Direction;
  readonly show: (value: Value) => string | null;
}
/** One for each key, so that a new one does not compile before it is compared. */
type Terms<Whole> = { readonly [Key in keyof Whole]: Term<Whole[Key]> };

const flip = (direction: Direction): Direction =>
  ({ wider: 'narrower', narrower: 'wider', same: 'same' })[direction] as Direction;
const count = (value: number | null) => (value === null ? null : String(value));

const DEMAND: Terms<ApprovalDemand> = {
  kind: {
    key: 'approval',
    compare: (before, after) => compareRanks(['signed', 'prompt'], before, after),
    show: String,
  },
  grade: {
    key: 'approval.grade',
    compare: (before, after) => compareRanks(APPROVAL_GRADES.toReversed(), before, after),
    show: String,
  },
  approvers: {
    key: 'approval.approvers',
    // Those of the map are compared for themselves, so naming some of them is never wider.
    compare: (before, after) => {
      if (before === null || after === null)
        return compareBounds(before?.length ?? null, after?.length ?? null);
      return compareNames(before, after);
    },
    show: (names) => names?.join(', ') ?? null,
  },
  count: {
    key: 'approval.count',
    compare: (before, after) => flip(compareBounds(before, after)),
    show: String,
  },
  selfApproval: {
    key: 'approval.self_approval',
    compare: (before, after) => compareRanks(['deny', 'allow'], before, after),
    show: String,
  },
  uses: { key: 'approval.uses', compare: compareBounds, show: String },
  standsFor: { key: 'approval.for', compare: compareBounds, show: formatDuration },
  command: {
    key: 'approval.command',
    compare: (before, after) =>
      before !== null && after === null ? 'narrower' : compareExact(before, after),
    show: (words) => words?.join(' ') ?? null,
  },
  cooldown: {
    key: 'approval.cooldown',
    compare: (before, after) => flip(compareBounds(before, after)),
    show: formatDuration,
  },
  perHour: { key: 'approval.max_per_hour', compare: compareBounds, show: count },
};

const LIMITS: Terms<Limits> = {
  perHour: { key: 'limits.per_hour', compare: compareBounds, show: count },
  perTask: { key: 'limits.per_task', compare: compareBounds, show: count },
  open: { key: 'limits.open', compare: compareBounds, show: count },
};

const UNLIMITED: Limits = { perHour: null, perTask: null, open: null };

/** The capabilities' own caps, which bound what a rule says. */
export interface Caps {
  readonly before: Pick<Capability, 'maxTtl'>;
  readonly after: Pick<Capability, 'maxTtl'>;
}

/**
 * The terms in which the newer rule differs. Where none is wider, and the capability's own `ttl`, `max_ttl`, `ttl_over`
 * and the map's approvers are no wider either, what the newer rule gives is at most what the older one gave.
 */
export function compareTerms(before: Rule, after: Rule, caps: Caps): TermChange[] {
  return [
    ...compareApproval(before.demand, after.demand),
    ...compareEach(LIMITS, before.limits ?? UNLIMITED, after.limits ?? UNLIMITED),
    ...compareCap(before.maxTtl, after.maxTtl, caps),
  ];
}

function compareApproval(before: ApprovalDemand | null, after: ApprovalDemand | null): TermChange[] {
  if (before !== null && after !== null) return compareEach(DEMAND, before, after);
  if (before === after) return [];
  const direction = before === null ? 'narrower' : 'wider';
  const [from, to] = [before?.grade ?? 'none', after?.grade ?? 'none'];
  return [{ key: 'approval', code: 'approval', direction, before: from, after: to }];
}

function compareEach<Whole extends object>(terms: Terms<Whole>, before: Whole, after: Whole): TermChange[] {
  const keys = Object.keys(terms) as (keyof Whole)[];
  return keys.flatMap((name) => {
    const { key, compare, show } = terms[name];
    const direction = compare(before[name], after[name]);
    if (direction === 'same') return [];
    const code = key.replace('.', '_');
    return [{ key, code, direction, before: show(before[name]), after: show(after[name]) }];
  });
}

/** A rule's cap counts below the capability's; where only that one is raised, it is told there. */
function compareCap(before: number | null, after: number | null, caps: Caps): TermChange[] {
  const own = compareBounds(before, after);
  const inEffect = compareBounds(
    Math.min(before ?? caps.before.maxTtl, caps.before.maxTtl),
    Math.min(after ?? caps.after.maxTtl, caps.after.maxTtl),
  );
  if (own === 'same') return [];
  const direction = own === 'wider' && inEffect !== 'wider' ? 'same' : own;
  const show = (value: number | null) => (value === null ? null : formatDuration(value));
  return [{ key: 'max_ttl', code: 'rule_max_ttl', direction, before: show(before), after: show(after) }];
}
