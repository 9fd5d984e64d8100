/** The actions that a lease's calls took, against those of its scope. Resources are not compared: no record has them. */
import type { IamActions } from '../../policy/lint/iam-actions.ts';
import type { ActionsRecord } from '../record/reconciled-record.ts';
import type { TrailEvent } from './event.ts';
import { actionOf, sourceOf } from './iam-action.ts';
import type { AwsLease } from './lease.ts';
import { recordingOf } from './recording.ts';
import type { Search } from './search.ts';
import type { Sighting } from './sightings.ts';

export interface ActionFindings {
  readonly record: ActionsRecord;
  /** Actions of the scope whose events nobody has shown, or said, to be recorded: data events; and those not known here. */
  readonly unrecorded: { readonly data: boolean; readonly unknown: boolean };
}

export function compareActions(
  lease: AwsLease,
  sightings: readonly Sighting[],
  search: Search,
  iam: IamActions,
): ActionFindings {
  const used = new Set<string>();
  const refused = new Set<string>();
  const outside = new Set<string>();
  const notTold = new Set<string>();
  const seen = new Set<string>();
  const granted = lease.scope === null ? null : grantedBy(lease.scope, iam);
  for (const { event, role } of sightings) {
    if (role !== 'own') continue; // what was obtained with a lease has a scope of its own
    const told = actionOf(event, iam);
    if (told.kind === 'free' && !isRefusal(event)) continue;
    const { any, also } = told.kind === 'action' ? told : { any: [], also: [] };
    for (const { name } of any) seen.add(name);
    if (event.error === null) for (const { name } of also) seen.add(name);
    const inScope = any.filter(({ name }) => granted?.has(name));
    // Of several that would do, those that are granted, if any: that AWS allowed the call says no more.
    const [first] = any;
    const names = (inScope.length > 0 ? inScope : first ? [first] : []).map(({ name }) => name);
    if (told.kind === 'unknown') notTold.add(operationOf(event));
    if (isRefusal(event))
      for (const name of names.length > 0 ? names : [operationOf(event)]) refused.add(name);
    if (event.error !== null) continue;
    for (const name of names) used.add(name);
    if (granted !== null && first && inScope.length === 0 && !event.byService) outside.add(first.name);
  }
  const scope = lease.scope ?? [];
  const unrecorded = scope.map((pattern) => unrecordedOf(pattern, lease, search, iam));
  const unseen = (pattern: string) => !matches(pattern, iam).some((name) => seen.has(name));
  return {
    record: {
      used: [...used].sort(),
      never_seen: scope.filter((pattern, at) => unrecorded[at] === null && unseen(pattern)),
      not_visible: scope.filter((pattern, at) => unrecorded[at] !== null && unseen(pattern)),
      refused: [...refused].sort(),
      outside: [...outside].sort(),
      not_told: [...notTold].sort(),
    },
    unrecorded: { data: unrecorded.includes('data'), unknown: unrecorded.includes('unknown') },
  };
}

function operationOf({ source, name }: TrailEvent): string {
  return `${source}:${name}`;
}

function grantedBy(scope: readonly string[], iam: IamActions): ReadonlySet<string> {
  return new Set(scope.flatMap((pattern) => matches(pattern, iam)));
}

function matches(pattern: string, iam: IamActions): readonly string[] {
  return iam.matching(pattern).map(({ name }) => name);
}

/**
 * Why events of a pattern's actions may be missing from what was searched; null where they are recorded. `no_call`: they
 * are asked for within other calls, so no event has their name and none can be missing.
 */
function unrecordedOf(
  pattern: string,
  { account }: AwsLease,
  { source, stated, witness }: Search,
  iam: IamActions,
): 'data' | 'unknown' | 'no_call' | null {
  const matching = iam.matching(pattern);
  const actions = matching.filter((action) => recordingOf(action) !== 'no_call');
  if (actions.length < matching.length && actions.length === 0) return 'no_call';
  const said = source === 'files' && stated.has('data_events');
  const kinds = actions.map((action) => {
    const recording = recordingOf(action);
    if (recording === 'management' || recording === 'no_call') return null;
    if (recording === 'unknown') return said ? null : 'unknown';
    return said && witness.hasDataEvents(account, sourceOf(action.service)) ? null : 'data';
  });
  if (kinds.includes('data')) return 'data';
  return kinds.includes('unknown') || (actions.length === 0 && !said) ? 'unknown' : null;
}

function isRefusal({ error }: TrailEvent): boolean {
  return error !== null && REFUSAL.test(error);
}

/** The codes by which the services say that the caller may not, or is not known any more. */
const REFUSAL =
  /AccessDenied|Unauthorized|NotAuthorized|Forbidden|AuthFailure|ExpiredToken|RequestExpired|InvalidClientTokenId|UnrecognizedClient|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken/i;
