/** Runs the tests that stand in the map, with the same function that decides about real requests. */
import { type Fact, type FactName, known, unknown } from '../request/facts.ts';
import type { ResolvedCommand, RunRequest } from '../request/run-request.ts';
import type { Capability, CapabilityMap, PolicyTest } from './capability.ts';
import type { Decision } from './decision.ts';
import { evaluate } from './evaluate.ts';

export interface TestFailure {
  /** Place of the test: `capabilities.deploy.tests[0]`. */
  readonly at: string;
  /** One sentence: what was expected, and what was decided and why. */
  readonly message: string;
  readonly decision: Decision;
}

/** The failing tests, in the order of the map. */
export function runPolicyTests(map: CapabilityMap): TestFailure[] {
  return [...map.capabilities.values()].flatMap((capability) =>
    capability.tests.flatMap((test) => runTest(capability, test)),
  );
}

/** How many inline tests a map has. */
export function countPolicyTests(map: CapabilityMap): number {
  return [...map.capabilities.values()].reduce((sum, { tests }) => sum + tests.length, 0);
}

function runTest(capability: Capability, test: PolicyTest): TestFailure[] {
  const decision = evaluate(capability, requestOf(capability, test));
  const wrong = disagreement(test, decision);
  const name = test.name === null ? test.at : `${test.at} (${test.name})`;
  return wrong === null ? [] : [{ at: test.at, message: `"${name}" ${wrong}`, decision }];
}

function disagreement(test: PolicyTest, decision: Decision): string | null {
  if (decision.effect === 'deny') {
    if (test.expect === 'allow') return `expects allow, and ${unquoted(decision.message)}`;
    return test.reason === null || test.reason === decision.reason
      ? null
      : `expects reason ${test.reason}, and it is ${decision.reason}`;
  }
  const { rule, approval } = decision.grant;
  if (test.expect === 'deny') return `expects deny, and ${rule} allows it`;
  return test.approval === null || test.approval === approval
    ? null
    : `expects approval ${test.approval}, and ${rule} gives ${approval}`;
}

/** The message of a decision stands inside a sentence here. */
function unquoted(message: string): string {
  return message.replace(/^"([^"]*)"/, '$1');
}

/**
 * Facts that a test does not give are unknown, except those that no run is without: there is always an actor, and
 * it is always known whether this is a CI system. A test about a missing justification gives an empty one, and one
 * about limits how often the rules were used.
 */
function requestOf(capability: Capability, { given, at }: PolicyTest): RunRequest {
  const fact = (name: FactName, value: string | boolean | undefined): Fact =>
    value === undefined
      ? unknown('not given by the test')
      : known(String(value), given.sources?.[name] ?? 'observed', at);
  return {
    capability: capability.name,
    facts: {
      repo: fact('repo', given.repo),
      branch: fact('branch', given.branch),
      commit: fact('commit', given.sources?.commit && '0'.repeat(40)),
      commit_clean: fact('commit_clean', given.commit_clean),
      environment: fact('environment', given.environment),
      actor: fact('actor', given.actor ?? 'test'),
      ci: fact('ci', given.ci ?? false),
    },
    command: given.command === undefined ? null : commandOf(capability, given.command),
    justification: given.justification ?? 'inline test',
    taskId: 'test',
    ttlRequested: given.ttl ?? null,
    usage: capability.rules.map(({ at: rule }) => ({
      rule,
      lastHour: given.usage?.per_hour ?? 0,
      forTask: given.usage?.per_task ?? 0,
      open: given.usage?.open ?? 0,
    })),
  };
}

/** No file is looked at: a path is taken as it is, and a pinned program to have the content of its pin. */
function commandOf(capability: Capability, argv: readonly string[]): ResolvedCommand {
  const [program = ''] = argv;
  const path = program.includes('/') ? program : null;
  const pins = capability.rules.flatMap(({ when }) =>
    when.command?.kind === 'pinned' ? [when.command] : [],
  );
  const sha256 = pins.find((pin) => pin.path === path)?.sha256 ?? null;
  return { argv, cwd: '/', path, fault: null, sha256 };
}
