/** Scope of AWS, held against what AWS publishes about its actions. */
import { isBroadResource } from '../providers/aws-sts/broad-scope.ts';
import type { AwsScopeEntry } from '../providers/aws-sts.ts';
import { nearest } from '../suggest.ts';
import { type CapabilitySubject, type Check, type Found, someOf } from './check.ts';
import { escalates } from './escalation.ts';
import type { IamAction, IamActions, IamLevel } from './iam-actions.ts';

interface ScopeSubject {
  readonly name: string;
  readonly entry: AwsScopeEntry;
  readonly at: string;
  readonly iam: IamActions;
}

export const IAM_CHECKS: readonly Check<CapabilitySubject>[] = [
  {
    code: 'iam_service_unknown',
    severity: 'warning',
    why: 'AWS takes a policy with an action that does not exist, and it allows nothing',
    find: eachAction(function* ({ iam }, action, at) {
      const [service = ''] = action.split(':');
      if (action === '*' || iam.services.includes(service)) return;
      const guess = nearest(service, iam.services);
      yield {
        at,
        message: `"${service}" is no service prefix of IAM (as of ${iam.date})`,
        fix:
          guess === null ? 'look it up in the Service Authorization Reference' : `did you mean "${guess}"?`,
      };
    }),
  },
  {
    code: 'iam_action_unknown',
    severity: 'warning',
    why: 'AWS takes a policy with an action that does not exist, and it allows nothing',
    find: eachAction(function* ({ iam }, action, at) {
      const [service = '', wanted = ''] = action.split(':');
      if (action === '*' || !iam.services.includes(service) || iam.matching(action).length > 0) return;
      const matches = /[*?]/.test(wanted) ? 'matches no action' : 'is no action';
      yield {
        at,
        message: `"${action}" ${matches} of ${service} (as of ${iam.date})`,
        fix: suggestion(iam, service, wanted),
      };
    }),
  },
  {
    code: 'iam_write_any',
    severity: 'warning',
    why: 'whatever the role can reach in the account can be changed',
    find: eachEntry(function* (subject) {
      yield* writesOnAnything(subject, true, 'name the resources: every one of these actions takes an ARN');
    }),
  },
  {
    code: 'iam_write_account',
    severity: 'note',
    why: 'AWS knows no resource for them, so nothing but the action itself limits what they change',
    find: eachEntry(function* (subject) {
      yield* writesOnAnything(subject, false, 'make sure that each is needed, in an entry of its own');
    }),
  },
  {
    code: 'iam_escalation',
    severity: 'warning',
    why: 'with it a child can get at more than this map allows, and keep it for longer',
    find: eachAction(function* ({ iam, name }, action, at) {
      const found = iam.matching(action).flatMap((it) => {
        const does = escalates(it);
        return does === null ? [] : [{ name: it.name, does }];
      });
      const [first] = found;
      if (first === undefined) return;
      const others = found.length > 1 ? `, as ${someOf(found.slice(1).map((it) => it.name))} do` : '';
      yield {
        at,
        message: `"${first.name}" of ${name} leads beyond its scope`,
        why: `it ${first.does}${others}`,
        fix: 'do without it, or bind it to one resource and ask for "approval: signed"',
      };
    }),
  },
];

const WRITES: readonly IamLevel[] = ['write', 'tagging', 'permissions'];

function* writesOnAnything(
  { name, entry, at, iam }: ScopeSubject,
  takesResource: boolean,
  fix: string,
): Generator<Found> {
  const position = entry.resources.findIndex(isBroadResource);
  if (position < 0) return;
  const writes = matchingAll(entry, iam).filter(
    (it) => WRITES.includes(it.level) && it.takesResource === takesResource,
  );
  if (writes.length === 0) return;
  yield {
    at: `${at}.resources[${position}]`,
    message: `"${entry.resources[position]}" of ${name} lets ${someOf(writes.map((it) => it.name))} change anything`,
    fix,
  };
}

/** Each action once. */
function matchingAll(entry: AwsScopeEntry, iam: IamActions): readonly IamAction[] {
  return [...new Set(entry.actions.flatMap((action) => iam.matching(action)))];
}

/** The nearest action of the service; else the services that do have it. Nothing is near a wildcard. */
function suggestion(iam: IamActions, service: string, wanted: string): string {
  if (/[*?]/.test(wanted)) return 'write an action that there is';
  const names = iam.of(service).map(({ name }) => name.slice(service.length + 1));
  const guess = nearest(wanted, names);
  if (guess !== null) return `did you mean "${service}:${guess}"?`;
  const elsewhere = iam.called(wanted).map(({ name }) => `"${name}"`);
  return elsewhere.length > 0
    ? `did you mean ${someOf(elsewhere)}?`
    : 'look it up in the Service Authorization Reference';
}

function eachEntry(look: (subject: ScopeSubject) => Iterable<Found>): Check<CapabilitySubject>['find'] {
  return function* find({ capability: { name, config }, iam }) {
    if (config.provider !== 'aws-sts' || iam === null) return;
    for (const [index, entry] of config.scope.entries()) {
      yield* look({ name, entry, iam, at: `capabilities.${name}.scope[${index}]` });
    }
  };
}

function eachAction(
  look: (subject: ScopeSubject, action: string, at: string) => Iterable<Found>,
): Check<CapabilitySubject>['find'] {
  return eachEntry(function* (subject) {
    for (const [index, action] of subject.entry.actions.entries()) {
      yield* look(subject, action, `${subject.at}.actions[${index}]`);
    }
  });
}
