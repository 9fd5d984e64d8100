/** Conditions that are missing, and patterns that match more than their author may think. */
import type { Check, RuleSubject } from './check.ts';

export const CONDITION_CHECKS: readonly Check<RuleSubject>[] = [
  {
    code: 'any_request',
    severity: 'warning',
    why: 'it allows every request, from any repository and branch',
    *find({ rule: { effect, when, at } }) {
      if (effect !== 'allow' || Object.keys(when).length > 0) return;
      yield { at, message: `"${at}" has no conditions`, fix: 'add "repo" and "command" to the rule' };
    },
  },
  missing(
    'any_repo',
    'repo',
    'it matches in any repository, also in one that the caller has made',
    'add "repo: OWNER/NAME"',
  ),
  missing(
    'any_branch',
    'branch',
    'it matches on any branch, also one that nobody has reviewed',
    'add "branch: main", or nothing where that is meant',
  ),
  missing(
    'any_command',
    'command',
    'any command can be run with the credential',
    'add "command: ./path/of/the/script"',
  ),
  {
    code: 'broad_pattern',
    severity: 'warning',
    why: 'the condition reads as a limit and is none',
    *find({ rule: { effect, when, at } }) {
      if (effect !== 'allow') return;
      for (const { condition, wide, matches, fix } of WIDE) {
        for (const [index, pattern] of (when[condition] ?? []).entries()) {
          if (!wide.test(pattern)) continue;
          const place = `${at}.allow.${condition}${when[condition]?.length === 1 ? '' : `[${index}]`}`;
          yield { at: place, message: `"${pattern}" of ${at} matches ${matches}`, fix };
        }
      }
    },
  },
];

/** Patterns that limit next to nothing; the first row of a condition that fits counts. */
const WIDE = [
  {
    condition: 'repo',
    wide: /^[*/]+$/,
    matches: 'every repository',
    fix: 'name the owner and the repository: "repo: OWNER/NAME"',
  },
  {
    condition: 'repo',
    // An owner that is not written out up to its end can be registered by anyone.
    wide: /^(?![*/]+$)[^/]*\*/,
    matches: 'repositories of owners that anyone can register, forks included',
    fix: 'name the owner: "repo: OWNER/NAME" or "repo: OWNER/*"',
  },
  {
    condition: 'branch',
    wide: /^(?=.*\*\*)[*/]+$/,
    matches: 'every branch',
    fix: 'name the branches: "branch: [main, feat/*]"; or delete the condition',
  },
  {
    condition: 'branch',
    wide: /^\*$/,
    matches: 'every branch without a / in its name',
    fix: 'name the branches: "branch: [main, feat/*]"',
  },
  {
    condition: 'environment',
    wide: /^[*/]+$/,
    matches: 'every environment',
    fix: 'name the environments: "environment: [preview, staging]"',
  },
  {
    condition: 'actor',
    wide: /^[*/]+$/,
    matches: 'everybody',
    fix: 'name the actors, or delete the condition',
  },
] as const;

/** A rule without any condition is `any_request`, and not said again for each. */
function missing(
  code: 'any_repo' | 'any_branch' | 'any_command',
  condition: 'repo' | 'branch' | 'command',
  why: string,
  fix: string,
): Check<RuleSubject> {
  return {
    code,
    severity: 'note',
    why,
    *find({ rule: { effect, when, at } }) {
      if (effect !== 'allow' || Object.keys(when).length === 0 || when[condition] !== undefined) return;
      yield { at, message: `"${at}" names no ${condition}`, fix };
    },
  };
}
