/** From what the author wrote to what the rooms rely on: defaults merged, durations in seconds, paths absolute. */
import type { Capability, EnvSpec, PolicyTest } from './capability.ts';
import { normaliseRule, programPath } from './normalise-rules.ts';
import { policyOf } from './providers/index.ts';
import type { RawCapability, RawDefaults, RawTest } from './schema.ts';
import { seconds } from './schema-fields.ts';

/** What a child gets where the map names nothing. */
export const DEFAULT_PASS: readonly string[] = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TERM', 'COLORTERM', 'LANG', 'LC_ALL', 'LC_CTYPE'],
  ...['TZ', 'TMPDIR', 'NO_COLOR', 'FORCE_COLOR', 'CI'],
];

const DEFAULT_TTL = 900;
const DEFAULT_KILL_AFTER = 10;

/** The validated form of a capability that the schema and the checks have accepted. `dir` is the map's directory. */
export function normalise(name: string, raw: RawCapability, defaults: RawDefaults, dir: string): Capability {
  const at = `capabilities.${name}`;
  const policy = policyOf(raw);
  const spelledOut = policy.spellsOutInject && raw.files === undefined;
  return {
    name,
    description: raw.description?.trim().replace(/\s+/g, ' ') || null,
    config: policy.normalise(raw, dir),
    ...resolveTtl(raw, defaults),
    ttlOver: raw.ttl_over ?? defaults.ttl_over ?? 'shorten',
    rules: raw.rules.map((rule, index) => normaliseRule(rule, dir, `${at}.rules[${index}]`)),
    environment: raw.environment ?? null,
    justification: raw.justification ?? defaults.justification ?? 'optional',
    env: mergeEnv(raw, defaults),
    inject: raw.inject ?? (spelledOut ? policy.defaultInject(raw) : {}),
    files: raw.files ?? {},
    home: raw.home ?? defaults.home ?? 'inherit',
    terminal: raw.terminal ?? defaults.terminal ?? 'masked',
    onLeak: raw.on_leak ?? defaults.on_leak ?? 'mask',
    killAfter: seconds(raw.kill_after ?? defaults.kill_after ?? DEFAULT_KILL_AFTER),
    tests: (raw.tests ?? []).map((test, index) => normaliseTest(test, dir, `${at}.tests[${index}]`)),
  };
}

/**
 * The TTL and its cap, in seconds. Without a `max_ttl` the cap is the TTL itself: nobody may ask for more than what
 * the map names. A TTL that only comes from a default bows to the capability's cap.
 */
export function resolveTtl(
  raw: Pick<RawCapability, 'ttl' | 'max_ttl'>,
  defaults: RawDefaults,
): { ttl: number; maxTtl: number } {
  const ttl = seconds(raw.ttl ?? defaults.ttl ?? DEFAULT_TTL);
  const cap = raw.max_ttl ?? defaults.max_ttl;
  const maxTtl = cap === undefined ? ttl : seconds(cap);
  return { ttl: raw.ttl === undefined ? Math.min(ttl, maxTtl) : ttl, maxTtl };
}

/** Names add up, from the defaults (or the built-in list) and the capability; of two values the capability's wins. */
function mergeEnv(raw: RawCapability, defaults: RawDefaults): EnvSpec {
  const unique = (names: readonly string[]) => [...new Set(names)];
  return {
    pass: unique([...(defaults.env?.pass ?? DEFAULT_PASS), ...(raw.env?.pass ?? [])]),
    passSensitive: unique([...(defaults.env?.pass_sensitive ?? []), ...(raw.env?.pass_sensitive ?? [])]),
    set: { ...defaults.env?.set, ...raw.env?.set },
  };
}

function normaliseTest(raw: RawTest, dir: string, at: string): PolicyTest {
  const { command, ttl, ...facts } = raw.given;
  const words = typeof command === 'string' ? [command] : command;
  const [program, ...rest] = words ?? [];
  return {
    name: raw.name ?? null,
    given: {
      ...facts,
      ...(program === undefined ? {} : { command: [programPath(program, dir), ...rest] }),
      ...(ttl === undefined ? {} : { ttl: seconds(ttl) }),
    },
    expect: raw.expect,
    reason: raw.reason ?? null,
    approval: raw.approval ?? null,
    at,
  };
}
