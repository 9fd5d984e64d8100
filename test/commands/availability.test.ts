/** What `list` says of a capability whose rules look at the command, which isn't known there. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { standingOf } from '../../src/commands/availability.ts';
import { evaluate } from '../../src/policy/evaluate.ts';
import { capabilityFrom, requestFrom } from '../policy/map-from.ts';

const HERE = { repo: 'acme/x', branch: 'main' };
const allow = (when: object) => ({ allow: { repo: 'acme/x', ...when } });
const deny = (when: object) => ({ deny: when });

function availability(...rules: readonly object[]) {
  const capability = capabilityFrom({ provider: 'local-issuer', audience: 'a', scope: ['s'], rules });
  return standingOf(capability, requestFrom(HERE)).availability;
}

test.each<[string, readonly object[], object]>([
  ['every command', [allow({})], { granted: 'yes', except: [] }],
  ['every command but one', [deny({ command: 'curl' }), allow({})], { granted: 'yes', except: ['curl'] }],
  [
    'some commands',
    [allow({ command: './a.sh' }), allow({ command: 'make' })],
    { granted: 'for_commands', commands: ['/repo/a.sh', 'make'], except: [] },
  ],
  [
    'one of two, where a deny refuses the other',
    [allow({ command: 'make' }), allow({ command: 'curl' }), deny({ command: 'c*' })],
    { granted: 'for_commands', commands: ['make'], except: ['c*'] },
  ],
  [
    'a command with some words left out',
    [allow({ command: 'make' }), deny({ command: ['make', 'deploy'] })],
    { granted: 'for_commands', commands: ['make'], except: ['make deploy ...'] },
  ],
  [
    'a deny that is for another branch',
    [allow({ command: 'make' }), deny({ command: 'make', branch: 'release' })],
    { granted: 'for_commands', commands: ['make'], except: [] },
  ],
  [
    'nothing, where a deny refuses all that is allowed',
    [allow({ command: 'curl' }), deny({ command: 'curl' })],
    {
      granted: 'no',
      reason: 'denied_by_rule',
      why: '"x" is denied: capabilities.x.rules[1] denies curl',
    },
  ],
  [
    'nothing, where something else that a deny asks is unknown',
    [allow({}), deny({ environment: 'production' })],
    { granted: 'no', reason: 'fact_unknown' },
  ],
  ['nothing, elsewhere', [allow({ branch: 'other' })], { granted: 'no', reason: 'no_rule_matched' }],
])('%s', (_what, rules, expected) => {
  expect(availability(...rules)).toMatchObject(expected);
});

/** Conditions that hold, don't, or can't be told, and limits that are reached. */
const facts = fc.constantFrom({}, {}, { repo: 'acme/x' }, { branch: 'other' }, { environment: 'production' });
const named = fc.constantFrom(
  {},
  { command: 'make' },
  { command: 'm*' },
  { command: ['make', 'all'] },
  { command: 'curl' },
);
const whens = fc.tuple(facts, named).map(([one, other]) => ({ repo: 'acme/*', ...one, ...other }));
const reached = { limits: { per_hour: 1 } };
const rules = fc.array(
  fc.oneof(
    whens.map((when) => ({ allow: when })),
    whens.map((when) => ({ allow: when, ...reached })),
    whens.map((when) => ({ allow: { ...when, sources: { branch: 'verified' } } })),
    whens.map((when) => ({ deny: when })),
  ),
  { minLength: 1, maxLength: 4 },
);
const COMMANDS = [['make'], ['make', 'all'], ['mix'], ['curl'], ['other']];

/** Whether a pattern as it is shown is one of the command's. */
function isNamed(patterns: readonly string[], argv: readonly string[]): boolean {
  return patterns.some((shown) => {
    if (shown === 'm*') return argv[0]?.startsWith('m');
    return shown === 'make all ...' ? argv.join(' ') === 'make all' : argv[0] === shown;
  });
}

test('what is said of a command is what is decided for it', () => {
  fc.assert(
    fc.property(rules, (list) => {
      const capability = capabilityFrom({
        provider: 'local-issuer',
        audience: 'a',
        scope: ['s'],
        rules: list,
      });
      const usage = capability.rules.map(({ at, limits }) => ({
        rule: at,
        lastHour: limits ? 1 : 0,
        forTask: null,
        open: null,
      }));
      const said = standingOf(capability, requestFrom({ ...HERE, usage })).availability;
      for (const argv of COMMANDS) {
        const command = { argv, cwd: '/repo', path: `/usr/bin/${argv[0]}` };
        const { effect } = evaluate(capability, requestFrom({ ...HERE, usage, command }));
        const isExcepted = said.granted !== 'no' && isNamed(said.except, argv);
        const isGranted =
          said.granted === 'yes' || (said.granted === 'for_commands' && isNamed(said.commands, argv));
        // Where an earlier rule grants some of what a later one refuses, the refusal is said of all.
        if (isExcepted && effect === 'allow') continue;
        expect({ argv, said, effect }).toEqual({
          argv,
          said,
          effect: isGranted && !isExcepted ? 'allow' : 'deny',
        });
      }
    }),
    { numRuns: 150 },
  );
});
