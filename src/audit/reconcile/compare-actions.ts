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
    const name = told.kind === 'action' ? told.action.name : `${event.source}:${event.name}`;
    if (told.kind === 'unknown') notTold.add(name);
    if (told.kind === 'action') seen.add(name);
    if (isRefusal(event)) refused.add(name);
    if (event.error !== null || told.kind !== 'action') continue;
    used.add(name);
    if (granted !== null && !granted.has(name) && !event.byService) outside.add(name);
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

function grantedBy(scope: readonly string[], iam: IamActions): ReadonlySet<string> {
  return new Set(scope.flatMap((pattern) => matches(pattern, iam)));
}

function matches(pattern: string, iam: IamActions): readonly string[] {
  return iam.matching(pattern).map(({ name }) => name);
}

/** Why events of a pattern's actions may be missing from what was searched; null where they are recorded. */
function unrecordedOf(
  pattern: string,
  { account }: AwsLease,
  { source, stated, witness }: Search,
  iam: IamActions,
): 'data' | 'unknown' | null {
  const actions = iam.matching(pattern);
  const said = source === 'files' && stated.has('data_events');
  const kinds = actions.map((action) => {
    const recording = recordingOf(action);
    if (recording === 'management') return null;
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
