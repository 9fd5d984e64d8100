/** Scope that is wider than anyone reviews: refused unless the entry says that it is meant. */
import type { Report } from '../../fault.ts';
import type { Place } from '../../map-place.ts';
import type { RawOf } from '../descriptor.ts';
import type { awsStsFields } from './fields.ts';

type RawAwsScope = RawOf<typeof awsStsFields>['scope'];

/**
 * Action names that only read, by their first word. IAM publishes access levels per action; names are the part of
 * it that holds for every service, and what is not listed counts as a write.
 */
const READS =
  /^(?:Get|List|Describe|BatchGet|Head|Query|Scan|Search|Lookup|View|Test|Simulate|Validate)(?![a-z])/;
/** Reads by name that hand out credentials or more than one thing's secrets. */
const ISSUES_CREDENTIALS =
  /^(?:sts:Get\w*Token|ecr-public:GetAuthorizationToken|secretsmanager:(?:Batch)?GetSecretValue)$/;

export function checkScope(scope: RawAwsScope, at: Place, report: Report): void {
  scope.forEach((entry, index) => {
    if (entry.broad === 'allow') return;
    const place = [...at, index];
    const fix = 'name what is needed, or add "broad: allow" to the entry';
    entry.actions.forEach((action, position) => {
      if (isBroadAction(action)) {
        report([...place, 'actions', position], 'scope_broad', `"${action}" allows every action`, fix);
      }
    });
    const write = entry.actions.find((action) => !isRead(action));
    entry.resources.forEach((resource, position) => {
      if (write === undefined || !isBroadResource(resource)) return;
      const message = `"${resource}" allows ${write} on every resource`;
      report([...place, 'resources', position], 'scope_broad', message, fix);
    });
  });
}

/** `*`, `s3:*`, and spellings of it such as `s3:?*`. */
function isBroadAction(action: string): boolean {
  return /^[*?]+$/.test(action.slice(action.indexOf(':') + 1));
}

/** `*`, or an ARN whose resource is only wildcards: `arn:aws:s3:::*`. */
export function isBroadResource(resource: string): boolean {
  const parts = resource.split(':');
  return parts.length < 6 || /^[*?/:]*$/.test(parts.slice(5).join(':'));
}

function isRead(action: string): boolean {
  return READS.test(action.slice(action.indexOf(':') + 1)) && !ISSUES_CREDENTIALS.test(action);
}
