/** How one capability changed, field by field. */
import { formatDuration } from '../../base/duration.ts';
import type { Capability, EnvSpec } from '../capability.ts';
import { hideCredentials } from '../credential-shape.ts';
import { canonical, compareBounds, compareRanks, type Direction, KIND_OF, type MapChange } from './change.ts';
import { compareProvider } from './compare-provider.ts';
import { compareRecord } from './compare-record.ts';
import { compareRules } from './compare-rules.ts';
import { looksAtEnvironment } from './condition-covers.ts';

type Compare = (before: Capability, after: Capability, at: string) => MapChange[];

const nothing: Compare = () => [];

/** A comparison for each field: one that is added to the capability does not compile before it has its own. */
const FIELDS: { readonly [Field in keyof Capability]: Compare } = {
  name: nothing,
  description: (before, after, at) =>
    changed(`${at}.description`, 'description', before.description, after.description, 'same'),
  config: (before, after, at) => compareProvider(before.config, after.config, at),
  ttl: (before, after, at) => duration(`${at}.ttl`, 'ttl', before.ttl, after.ttl),
  maxTtl: (before, after, at) => duration(`${at}.max_ttl`, 'max_ttl', before.maxTtl, after.maxTtl),
  ttlOver: (before, after, at) =>
    ranked(`${at}.ttl_over`, 'ttl_over', ['deny', 'shorten'], before.ttlOver, after.ttlOver),
  rules: compareRules,
  environment: compareEnvironment,
  justification: (before, after, at) =>
    ranked(
      `${at}.justification`,
      'justification',
      ['required', 'optional'],
      before.justification,
      after.justification,
    ),
  env: (before, after, at) => compareEnv(before.env, after.env, `${at}.env`),
  inject: (before, after, at) => compareRecord(before.inject, after.inject, `${at}.inject`, 'inject'),
  files: (before, after, at) => compareRecord(before.files, after.files, `${at}.files`, 'files'),
  home: (before, after, at) => ranked(`${at}.home`, 'home', ['private', 'inherit'], before.home, after.home),
  terminal: (before, after, at) =>
    ranked(`${at}.terminal`, 'terminal', ['masked', 'direct'], before.terminal, after.terminal),
  onLeak: (before, after, at) =>
    ranked(`${at}.on_leak`, 'on_leak', ['fail', 'mask'], before.onLeak, after.onLeak),
  killAfter: (before, after, at) =>
    duration(`${at}.kill_after`, 'kill_after', before.killAfter, after.killAfter),
  tests: (before, after, at) => {
    if (canonical(before.tests) === canonical(after.tests)) return [];
    const count = (tests: Capability['tests']) => `${tests.length}`;
    return [
      change(
        `${at}.tests`,
        'tests',
        'same',
        `"${at}.tests" are other ones`,
        count(before.tests),
        count(after.tests),
      ),
    ];
  },
};

export function compareCapability(before: Capability, after: Capability): MapChange[] {
  const at = `capabilities.${after.name}`;
  return Object.values(FIELDS).flatMap((compare) => compare(before, after, at));
}

/** What one claims is another environment's request, and a fixed one is observed where a claimed one is not. */
function compareEnvironment(before: Capability, after: Capability, at: string): MapChange[] {
  const ignored = ![...before.rules, ...after.rules].some(({ when }) => looksAtEnvironment(when));
  const [from, to] = [before.environment, after.environment];
  if (from === to) return [];
  const [direction, ends] =
    from === null && ignored ? (['narrower', 'is fixed'] as const) : (['wider', 'is another one'] as const);
  const message = `"${at}.environment" ${ends}`;
  return [change(`${at}.environment`, 'environment', direction, message, from, to)];
}

function compareEnv(before: EnvSpec, after: EnvSpec, at: string): MapChange[] {
  return [
    ...names(`${at}.pass`, 'env_pass', before.pass, after.pass),
    ...names(`${at}.pass_sensitive`, 'env_pass_sensitive', before.passSensitive, after.passSensitive),
    ...compareRecord(before.set, after.set, `${at}.set`, 'env_set').map((each) => ({
      ...each,
      before: each.before && hideCredentials(each.before),
      after: each.after && hideCredentials(each.after),
    })),
  ];
}

function names(at: string, code: string, before: readonly string[], after: readonly string[]): MapChange[] {
  const added = after.filter((name) => !before.includes(name));
  const gone = before.filter((name) => !after.includes(name));
  return [
    ...(added.length === 0 ? [] : [change(at, code, 'wider', `"${at}" names more`, null, added.join(', '))]),
    ...(gone.length === 0 ? [] : [change(at, code, 'narrower', `"${at}" names less`, gone.join(', '), null)]),
  ];
}

function duration(at: string, code: string, before: number, after: number): MapChange[] {
  const direction = compareBounds(before, after);
  return changed(at, code, formatDuration(before), formatDuration(after), direction);
}

function ranked<Word extends string>(
  at: string,
  code: string,
  narrowestFirst: readonly Word[],
  before: Word,
  after: Word,
): MapChange[] {
  return changed(at, code, before, after, compareRanks(narrowestFirst, before, after));
}

function changed(
  at: string,
  code: string,
  before: string | null,
  after: string | null,
  direction: Direction,
): MapChange[] {
  if (before === after) return [];
  return [change(at, code, direction, `"${at}" ${ENDS[direction]}`, before, after)];
}

const ENDS = {
  wider: 'allows more',
  narrower: 'allows less',
  same: 'is another one',
} as const;

function change(
  at: string,
  code: string,
  direction: Direction,
  message: string,
  before: string | null,
  after: string | null,
): MapChange {
  return { kind: KIND_OF[direction], at, code, message, before, after };
}
