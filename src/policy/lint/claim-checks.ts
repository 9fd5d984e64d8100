/** Rules that rely on what the caller says about itself, or on better knowledge than there is. */
import type { FactName } from '../../request/facts.ts';
import { type CapabilitySubject, type Check, type RuleSubject, someOf } from './check.ts';
import { bestSource, canBeVerified, isWeaker, takesClaim } from './claims.ts';

export const CLAIM_CHECKS: readonly Check<RuleSubject>[] = [
  {
    code: 'claimed_environment',
    severity: 'warning',
    why: '--environment is a word of the caller, and an agent can type any',
    *find({ rule, capability }) {
      const { effect, when, at } = rule;
      if (effect !== 'allow' || when.environment === undefined || capability.environment !== null) return;
      if (!takesClaim(when, 'environment')) return;
      yield {
        at: `${at}.allow.environment`,
        message: `"${at}" relies on the environment that the caller claims`,
        fix: `add "environment: NAME" to ${capability.name}, one capability for each environment`,
      };
    },
  },
  {
    code: 'claimed_actor',
    severity: 'warning',
    why: '--actor and the variables of an agent or CI are words of the caller, who can name anybody',
    *find({ rule: { effect, when, at } }) {
      if (effect !== 'allow' || when.actor === undefined || !takesClaim(when, 'actor')) return;
      yield {
        at: `${at}.allow.actor`,
        message: `"${at}" relies on the actor that the caller claims`,
        fix: 'add "sources: {actor: observed}" to the rule, so that only the user of the operating system counts',
      };
    },
  },
  {
    code: 'claimed_ci',
    severity: 'warning',
    why: 'any process can set or clear the variables of a CI system',
    *find({ rule: { effect, when, at } }) {
      if (effect !== 'allow' || when.ci === undefined) return;
      yield {
        at: `${at}.allow.ci`,
        message: `"${at}" relies on the caller to say whether this is a CI system`,
        fix: "demand what a CI system can prove, such as its OIDC token as the capability's source; or delete ci",
      };
    },
  },
  {
    code: 'source_never',
    severity: 'warning',
    why: 'no source of facts reaches that grade, so the rule never matches',
    *find({ rule, capability }) {
      for (const [name, demanded] of Object.entries(rule.when.sources ?? {})) {
        const best = bestSource(name as FactName, capability);
        if (!isWeaker(best, demanded)) continue;
        if (demanded === 'verified' && canBeVerified(name as FactName, capability)) continue;
        yield {
          at: `${rule.at}.${rule.effect}.sources.${name}`,
          message: `"${name}" is ${best} at best, and ${rule.at} demands ${demanded}`,
          fix: `write "${name}: ${best}", or delete it`,
        };
      }
    },
  },
  {
    code: 'deny_on_claim',
    severity: 'note',
    why: 'a caller that claims another value is not denied',
    *find({ rule, capability }) {
      if (rule.effect !== 'deny') return;
      for (const name of ['actor', 'environment', 'ci'] as const) {
        if (rule.when[name] === undefined) continue;
        if (name === 'environment' && capability.environment !== null) continue;
        yield {
          at: `${rule.at}.deny.${name}`,
          message: `"${rule.at}" denies by ${name}, which the caller claims`,
          fix: `nothing, where it only keeps out honest callers; else allow by name, with facts that can't be claimed`,
        };
      }
    },
  },
  {
    code: 'deny_needs_fact',
    severity: 'note',
    why: "where that fact can't be told, requests that the allow rule matches are denied too",
    *find({ rule, capability }) {
      if (rule.effect !== 'deny') return;
      const allows = capability.rules.filter((it) => it.effect === 'allow');
      for (const name of ['repo', 'branch', 'environment', 'command', 'commit_clean'] as const) {
        if (rule.when[name] === undefined || allows.every((it) => it.when[name] !== undefined)) continue;
        yield {
          at: rule.at,
          message: `"${rule.at}" looks at ${name}, and not every allow rule does`,
          fix: `nothing, where that is meant; else add ${name} to the allow rules`,
        };
      }
    },
  },
  {
    code: 'deny_with_sources',
    severity: 'warning',
    why: 'the same value known in a weaker way is not denied',
    *find({ rule: { effect, when, at } }) {
      if (effect !== 'deny' || when.sources === undefined) return;
      yield {
        at: `${at}.deny.sources`,
        message: `"${at}" denies only what is known well enough`,
        fix: 'delete sources from the deny rule',
      };
    },
  },
];

/** Said once for a capability, at its first such rule: nearly every rule looks at them, and the remedy is one. */
export const CLAIMED_REPO: Check<CapabilitySubject> = {
  code: 'claimed_repo',
  severity: 'note',
  why: 'outside of a work tree, variables such as GITHUB_REPOSITORY name any repository and branch',
  *find({ capability: { name, rules } }) {
    const relying = rules.flatMap(({ effect, when, at }, index) => {
      const facts = GIT_FACTS.filter((fact) => when[fact] !== undefined && takesClaim(when, fact));
      return effect === 'allow' && facts.length > 0 ? [{ index, at, facts }] : [];
    });
    const [first] = relying;
    if (first === undefined) return;
    const facts = GIT_FACTS.filter((fact) => relying.some((it) => it.facts.includes(fact)));
    const where = relying.map(({ index }) => `rules[${index}]`);
    yield {
      at: `${first.at}.allow.${first.facts[0]}`,
      message: `"${name}" takes ${facts.join(' and ')} from variables of CI where git can't tell (${someOf(where, 8)})`,
      fix: `add "sources: {${facts.map((fact) => `${fact}: observed`).join(', ')}}" where only a work tree counts`,
    };
  },
};

const GIT_FACTS = ['repo', 'branch'] as const;
