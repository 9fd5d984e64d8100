/** Findings about rules: what lets more through, or stops less, than its author may think. */
import { basename } from 'node:path';
import type { Capability, CommandPattern, Conditions, Rule } from './capability.ts';
import type { Finding } from './finding.ts';

/** Programs that run whatever their arguments, their input or a file beside them say. */
const RUNS_ANYTHING =
  /^(?:(?:ba|da|z|k|c|tc|fi|a)?sh|busybox|env|sudo|doas|xargs|find|nohup|timeout|nice|setsid|ssh|make|gmake|node|deno|bun|python[\d.]*|perl|ruby|php|lua|npm|npx|pnpm|yarn|uv|uvx|cargo|go|docker|podman|awk|gawk|vim?|emacs)$/;

export function* lintRules(capability: Capability): Generator<Finding> {
  const { name, rules } = capability;
  if (!rules.some((rule) => rule.effect === 'allow')) {
    yield {
      code: 'no_allow',
      severity: 'warning',
      at: `capabilities.${name}.rules`,
      message: `"${name}" has no allow rule`,
      why: 'every request for it is denied',
      fix: 'add "- allow: {...}"',
    };
  }
  for (const [index, rule] of rules.entries()) {
    yield* lintReach(rule, rules.slice(0, index));
    if (rule.effect === 'allow') yield* lintAllow(rule, capability);
    else yield* lintDeny(rule, rules);
  }
}

/** An allow that comes after one with the same conditions never gives its terms. */
function* lintReach(rule: Rule, earlier: readonly Rule[]): Generator<Finding> {
  const first = earlier.find(
    (it) => it.effect === rule.effect && canonical(it.when) === canonical(rule.when),
  );
  if (first === undefined) return;
  yield {
    code: 'rule_unreachable',
    severity: 'warning',
    at: rule.at,
    message: `"${rule.at}" has the conditions of ${first.at}`,
    why: 'the first one that matches gives the terms, so this one never counts',
    fix: 'delete one of the two',
  };
}

function* lintAllow(rule: Rule, capability: Capability): Generator<Finding> {
  const { when, at } = rule;
  const demands = when.sources?.environment;
  if (
    when.environment !== undefined &&
    capability.environment === null &&
    (demands ?? 'claimed') === 'claimed'
  ) {
    yield {
      code: 'claimed_environment',
      severity: 'warning',
      at: `${at}.allow.environment`,
      message: `"${at}" relies on the environment that the caller claims`,
      why: '--environment is a word of the caller, and an agent can type any',
      fix: `add "environment: NAME" to ${capability.name}, or "sources: {environment: verified}" to the rule`,
    };
  }
  if (Object.keys(when).length === 0) {
    yield {
      code: 'any_request',
      severity: 'warning',
      at,
      message: `"${at}" has no conditions`,
      why: 'it allows every request, from any repository and branch',
      fix: 'add "repo" and "command" to the rule',
    };
  } else if (when.command === undefined) {
    yield {
      code: 'any_command',
      severity: 'note',
      at,
      message: `"${at}" names no command`,
      why: 'any command can be run with the credential',
      fix: 'add "command: ./path/of/the/script"',
    };
  }
  if (when.command !== undefined) yield* lintCommand(when.command, `${at}.allow.command`);
  if (rule.maxTtl !== null && rule.maxTtl > capability.maxTtl) {
    yield {
      code: 'rule_ttl_no_effect',
      severity: 'warning',
      at: `${at}.max_ttl`,
      message: `"max_ttl" of ${at} is longer than that of ${capability.name}`,
      why: 'the shorter one counts',
      fix: `raise max_ttl of ${capability.name}, or delete this one`,
    };
  }
}

function* lintCommand(command: CommandPattern, at: string): Generator<Finding> {
  const [program = '', ...rest] =
    command.kind === 'program'
      ? [command.program]
      : command.kind === 'pinned'
        ? [command.path]
        : command.argv;
  if (!program.includes('/')) {
    yield {
      code: 'bare_program',
      severity: 'warning',
      at,
      message: `"${program}" is found through the PATH of the caller`,
      why: 'another program of that name, earlier in PATH, matches too',
      fix: 'write the path of the program',
    };
  }
  if (/^\*+$/.test(basename(program))) {
    yield {
      code: 'any_program',
      severity: 'warning',
      at,
      message: `"${program}" allows every program in that folder`,
      why: 'whoever can put a file there runs it with the credential',
      fix: 'name the programs',
    };
  }
  if (command.kind === 'program' && /\s/.test(program)) {
    yield {
      code: 'program_with_blank',
      severity: 'warning',
      at,
      message: `"${program}" is one program whose name holds a blank`,
      why: 'text names the program alone, so arguments in it never match',
      fix: `write a list: [${program.split(/\s+/).join(', ')}]`,
    };
  }
  // Flags choose how the code is handed over (`sh -c`, `python -`), not which code it is.
  const pinsSomething = rest.some((word) => !word.startsWith('-') && !/^\*+$/.test(word));
  if (RUNS_ANYTHING.test(basename(program)) && !pinsSomething) {
    yield {
      code: 'any_code',
      severity: 'warning',
      at,
      message: `"${basename(program)}" runs any code`,
      why: 'the rule allows every command that it can be told to run',
      fix: `write the script too: [${program}, ./path/of/the/script], or name the script alone`,
    };
  }
}

const PATTERN_CONDITIONS = ['repo', 'branch', 'environment', 'command', 'commit_clean'] as const;

function* lintDeny(rule: Rule, rules: readonly Rule[]): Generator<Finding> {
  const allows = rules.filter((it) => it.effect === 'allow');
  for (const name of PATTERN_CONDITIONS) {
    if (rule.when[name] === undefined || allows.every((it) => it.when[name] !== undefined)) continue;
    yield {
      code: 'deny_needs_fact',
      severity: 'note',
      at: rule.at,
      message: `"${rule.at}" looks at ${name}, and not every allow rule does`,
      why: `where the ${name} can't be told, requests that the allow rule matches are denied too`,
      fix: `nothing, where that is meant; else add ${name} to the allow rules`,
    };
  }
  if (rule.when.sources !== undefined) {
    yield {
      code: 'deny_with_sources',
      severity: 'warning',
      at: `${rule.at}.deny.sources`,
      message: `"${rule.at}" denies only what is known well enough`,
      why: 'the same value known in a weaker way is not denied',
      fix: 'delete sources from the deny rule',
    };
  }
}

/** Conditions as text that does not depend on the order of keys or patterns. */
function canonical(when: Conditions): string {
  const entries = Object.entries(when).map(([key, value]) => [
    key,
    Array.isArray(value) ? [...value].sort() : value,
  ]);
  return JSON.stringify(
    entries.sort(([a], [b]) => String(a).localeCompare(String(b))),
    (_key, value) =>
      value !== null && typeof value === 'object' && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a.localeCompare(b)))
        : value,
  );
}
