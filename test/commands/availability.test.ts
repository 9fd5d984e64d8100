/** What `list` says of a capability whose rules look at the command, which isn't known there. */
import { expect, test } from 'vitest';
import { standingOf } from '../../src/commands/availability.ts';
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
