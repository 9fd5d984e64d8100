/** How the rules of a capability changed. What is told comes from pairs of rules, what widens from the proof. */
import { formatDuration } from '../../base/duration.ts';
import { escapeValue } from '../../base/escape.ts';
import type { Capability, Conditions, Rule } from '../capability.ts';
import { demandWords, limitWords } from '../demand-text.ts';
import { describeCommandPattern } from '../match-command.ts';
import { pairs } from '../summary-text.ts';
import { canonical, KIND_OF, type MapChange } from './change.ts';
import { compareConditions } from './compare-conditions.ts';
import { compareTerms } from './compare-terms.ts';
import { areConditionsDisjoint } from './condition-covers.ts';
import { pairRules } from './pair-rules.ts';
import { proveRules, type RuleProof } from './prove-rules.ts';

/** Both versions of a capability, with what was shown about their rules in both directions. */
interface Scene {
  readonly before: Capability;
  readonly after: Capability;
  readonly forward: RuleProof;
  /** As `forward` for the way back: what the newer rules no longer give. */
  readonly backward: RuleProof;
}

/** Each newer allow that isn't proven, and each older deny, has a widening among the changes. */
export function compareRules(before: Capability, after: Capability): MapChange[] {
  if (canonical(before.rules) === canonical(after.rules)) return [];
  const [forward, backward] = [proveRules(before, after), proveRules(after, before)];
  const scene = { before, after, forward, backward };
  const paired = (effect: Rule['effect']) =>
    pairRules(
      before.rules.filter((rule) => rule.effect === effect),
      after.rules.filter((rule) => rule.effect === effect),
    );
  return [
    ...paired('allow').flatMap((pair) => compareAllows(pair.before, pair.after, scene)),
    ...paired('deny').flatMap((pair) => compareDenies(pair.before, pair.after, scene)),
  ];
}

function compareAllows(older: Rule | null, newer: Rule | null, scene: Scene): MapChange[] {
  const list = `capabilities.${scene.after.name}.rules`;
  if (newer === null) return older === null ? [] : [droppedAllow(older, list, scene)];
  const proven = scene.forward.allows.has(newer);
  if (older === null) return [addedAllow(newer, proven, scene)];

  const terms = compareTerms(older, newer, scene).map(
    ({ key, code, direction, before, after }): MapChange => ({
      kind: KIND_OF[direction],
      at: `${newer.at}.${key}`,
      code,
      message: `"${key}" of ${newer.at} ${ENDS[direction]}`,
      before,
      after,
    }),
  );
  const conditions = compareConditions(older.when, newer.when).map(
    ({ key, direction, before, after }): MapChange => ({
      kind: KIND_OF[direction],
      at: `${newer.at}.allow.${key}`,
      code: 'allow_condition',
      message: `"${key}" of ${newer.at} ${MATCHES[direction]}`,
      before,
      after,
    }),
  );
  const changes = [...conditions, ...terms];
  if (proven) return [...changes.map(harmless), ...moved(older, newer, changes, scene)];
  if (changes.some(({ kind }) => kind === 'widening')) return changes;
  const counted = older.limits !== null && older.at !== newer.at;
  const message = counted
    ? `"${newer.at}" stands elsewhere, so the uses of its limits are counted anew`
    : `"${newer.at}" may allow what another rule refused or gave on stricter terms before`;
  return [
    ...changes,
    { kind: 'widening', at: newer.at, code: 'rule_order', message, before: older.at, after: newer.at },
  ];
}

const ENDS = { wider: 'asks for less', narrower: 'asks for more', same: 'has no effect' } as const;
const MATCHES = {
  wider: 'matches more, or something else',
  narrower: 'matches less',
  same: 'is written in another way',
} as const;

/** What widens one rule, and nothing in all: another rule gave it before. */
function harmless(change: MapChange): MapChange {
  if (change.kind !== 'widening') return change;
  return {
    ...change,
    kind: 'neutral',
    message: `${change.message}; all that it allows was allowed before, on no stricter terms`,
  };
}

/** A rule that stands elsewhere among the others: told where that changes what somebody gets. */
function* moved(older: Rule, newer: Rule, changes: readonly MapChange[], scene: Scene): Generator<MapChange> {
  if (changes.length > 0 || scene.backward.allows.has(older)) return;
  const message = `"${newer.at}" no longer gives its terms for all that it gave them for`;
  yield { kind: 'narrowing', at: newer.at, code: 'rule_order', message, before: older.at, after: newer.at };
}

function addedAllow(rule: Rule, proven: boolean, scene: Scene): MapChange {
  const change = { at: rule.at, code: 'allow_added', before: null, after: describeRule(rule) };
  if (!proven) return { ...change, kind: 'widening', message: `"${rule.at}" is a new allow rule` };
  const lost = scene.before.rules.some(
    (other) =>
      other.effect === 'allow' &&
      !scene.backward.allows.has(other) &&
      !areConditionsDisjoint(other.when, rule.when),
  );
  const message = `"${rule.at}" is a new allow rule; all that it allows was allowed before, on no stricter terms`;
  return { ...change, kind: lost ? 'narrowing' : 'neutral', message };
}

function droppedAllow(rule: Rule, list: string, { backward }: Scene): MapChange {
  const gone = !backward.allows.has(rule);
  return {
    kind: gone ? 'narrowing' : 'neutral',
    at: list,
    code: 'allow_dropped',
    message: `"${rule.at}", an allow rule, is gone${gone ? '' : '; other rules still allow what it allowed'}`,
    before: describeRule(rule),
    after: null,
  };
}

function compareDenies(
  older: Rule | null,
  newer: Rule | null,
  { after, forward, backward }: Scene,
): MapChange[] {
  const holds = older === null || forward.denies.has(older);
  const known = newer === null || backward.denies.has(newer);
  if (older !== null && newer !== null && canonical(older.when) === canonical(newer.when)) return [];
  const kind = holds ? (known ? 'neutral' : 'narrowing') : 'widening';
  const values = {
    kind,
    before: older && describeRule(older),
    after: newer && describeRule(newer),
  } as const;
  const list = `capabilities.${after.name}.rules`;
  if (newer === null) {
    const rest = holds ? '; another one refuses what it refused' : '';
    return [
      { ...values, at: list, code: 'deny_dropped', message: `"${older?.at}", a deny rule, is gone${rest}` },
    ];
  }
  if (older === null) {
    const rest = known ? '; what it refuses was refused before' : '';
    return [
      { ...values, at: newer.at, code: 'deny_added', message: `"${newer.at}" is a new deny rule${rest}` },
    ];
  }
  const refuses = {
    widening: 'refuses less, or something else',
    narrowing: 'refuses more',
    neutral: 'refuses the same',
  };
  return [
    {
      ...values,
      at: newer.at,
      code: 'deny_changed',
      message: `"${newer.at}", a deny rule, ${refuses[kind]}`,
    },
  ];
}

/** The rule as one text, nothing left out: `allow repo=a/b command=./x.sh approval=none`. */
function describeRule(rule: Rule): string {
  const { command, sources, ...facts } = rule.when satisfies Conditions;
  const { demand, limits } = rule;
  return [
    rule.effect,
    ...pairs(facts),
    ...(command === undefined ? [] : [`command=${escapeValue(describeCommandPattern(command))}`]),
    ...pairs(sources ?? {}).map((text) => `source:${text}`),
    ...(rule.effect === 'deny' ? [] : [`approval=${rule.approval}`]),
    ...(demand === null ? [] : demandWords(demand)),
    ...(demand?.command ? [`asked_through=${escapeValue(demand.command.join(' '))}`] : []),
    ...(limits === null ? [] : limitWords(limits)),
    ...(rule.maxTtl === null ? [] : [`max_ttl=${formatDuration(rule.maxTtl)}`]),
  ].join(' ');
}
