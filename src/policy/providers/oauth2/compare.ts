/** What a change of an `oauth2` capability's config means. */
import { formatDuration } from '../../../base/duration.ts';
import { anotherOne, canonical, compareBounds, KIND_OF, type MapChange } from '../../diff/change.ts';
import { compareTokens } from '../../diff/compare-tokens.ts';
import { compareSources, sourceText } from '../../sources/source-text.ts';
import { compareFields, type FieldComparisons } from '../compare-fields.ts';
import type { Oauth2Config, SubjectSource } from '../oauth2.ts';

const COMPARISONS: FieldComparisons<Oauth2Config> = {
  issuer: 'widening',
  tokenEndpoint: 'widening',
  revocationEndpoint: 'widening',
  introspectionEndpoint: 'widening',
  caFile: 'widening',
  grant: 'widening',
  clientId: 'widening',
  clientAuth: 'widening',
  source: compareSubjects,
  subjectTokenType: 'widening',
  requestedTokenType: 'widening',
  audience: 'widening',
  resource: 'widening',
  scope: compareScope,
  tokenAudience: 'widening',
  subject: 'widening',
  tokenLife: compareLife,
  ttlParameter: 'widening',
  probe: 'widening', // the token is sent there
};

/** The changes from one config to the other; `at` is the place of the capability. */
export function compareOauth2(before: Oauth2Config, after: Oauth2Config, at: string): MapChange[] {
  return compareFields(COMPARISONS, before, after, at);
}

function compareSubjects(before: SubjectSource | null, after: SubjectSource | null, at: string): MapChange[] {
  if (before !== null && after !== null) return compareSources(before, after, at);
  if (before === after) return [];
  return [anotherOne('widening', at, 'source', before && sourceText(before), after && sourceText(after))];
}

/** Without a list the server decides, which may be anything. */
function compareScope(
  before: readonly string[] | null,
  after: readonly string[] | null,
  at: string,
): MapChange[] {
  if (before !== null && after !== null) return compareTokens(before, after, at);
  if (before === after) return [];
  const kind = after === null ? 'widening' : 'narrowing';
  return [anotherOne(kind, at, 'scope', before && canonical(before), after && canonical(after))];
}

function compareLife(before: number | null, after: number | null, at: string): MapChange[] {
  const text = (life: number | null) => (life === null ? null : formatDuration(life));
  // None is the shortest: no longer than the grant.
  const direction = compareBounds(before ?? 0, after ?? 0);
  return direction === 'same'
    ? []
    : [anotherOne(KIND_OF[direction], at, 'token_life', text(before), text(after))];
}
