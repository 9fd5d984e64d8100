/** Facts that a signed token proves, in place of what files and variables say. */
import { type Fact, type FactName, type Facts, known } from './facts.ts';

/** The facts that an OIDC token of a CI system can speak of. */
export const VERIFIABLE = ['repo', 'branch', 'commit', 'environment', 'actor'] as const;
export type Verifiable = (typeof VERIFIABLE)[number];

/** What a token said after its signature was checked, or why there is none. `from` names its issuer. */
export type Identity =
  | { readonly claims: Readonly<Partial<Record<Verifiable, string>>>; readonly from: string }
  | { readonly failure: string };

export function isVerifiable(name: FactName): name is Verifiable {
  return (VERIFIABLE as readonly string[]).includes(name);
}

/**
 * The facts with those of `names` that the token proves as `verified`. Where it doesn't, the fact stays as it was, with
 * the reason in `from`. What git's files show is not overruled: a token that speaks of another repository or commit than
 * the one that is checked out proves nothing about this one.
 */
export function withVerified(facts: Facts, names: readonly Verifiable[], identity: Identity): Facts {
  if ('failure' in identity)
    return each(names, facts, (fact) => noted(fact, `not verified: ${identity.failure}`));
  const { claims, from } = identity;
  const differs = (name: 'repo' | 'branch' | 'commit') =>
    facts[name].source === 'observed' && claims[name] !== undefined && facts[name].value !== claims[name];
  const other = (['repo', 'commit'] as const).find(differs);
  return each(names, facts, (fact, name) => {
    const claim = claims[name];
    if (claim === undefined) return noted(fact, `${from} does not say it`);
    if (name === 'environment' || name === 'actor') return known(claim, 'verified', from);
    if (differs(name)) return noted(fact, `${from} says "${claim}"`);
    if (other !== undefined) return noted(fact, `${from} speaks of another ${other}`);
    return known(claim, 'verified', from);
  });
}

function each(
  names: readonly Verifiable[],
  facts: Facts,
  change: (fact: Fact, name: Verifiable) => Fact,
): Facts {
  return { ...facts, ...Object.fromEntries(names.map((name) => [name, change(facts[name], name)])) };
}

function noted(fact: Fact, note: string): Fact {
  return { ...fact, from: `${fact.from}; ${note}` };
}
