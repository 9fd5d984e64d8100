/** The options of a reconciliation that say where to search. */
import type { Statement } from '../audit/record/reconciled-record.ts';
import { SERVER_URL, WANTS_SERVER_URL } from '../base/server-url.ts';
import { CapwrapError } from '../errors.ts';

export interface ReconcileSearchOptions {
  /** Files and folders of exported events. */
  readonly events?: readonly string[] | undefined;
  /** Ask LookupEvents. */
  readonly lookup?: boolean | undefined;
  readonly region?: readonly string[] | undefined;
  /** The profile whose keys ask. */
  readonly profile?: string | undefined;
  readonly longLived?: 'allow' | undefined;
  readonly endpoint?: string | undefined;
  readonly complete?: boolean | undefined;
  readonly onlyRegions?: boolean | undefined;
  readonly dataEvents?: boolean | undefined;
  /** Milliseconds between two requests in a region; CloudTrail's own limit where it isn't given. */
  readonly paceMs?: number | undefined;
}

/** Throws ERR_USAGE for options that don't go together. */
export function assertOptions(options: ReconcileSearchOptions): void {
  const { events, lookup = false, region = [], profile, longLived, endpoint } = options;
  const usage = (message: string, hint: string) => new CapwrapError('ERR_USAGE', message, { hint });
  if ((events === undefined) === !lookup) {
    throw usage(
      'name one source of events: --events for exported files, or --lookup to ask CloudTrail',
      'capwrap audit reconcile --events ./AWSLogs',
    );
  }
  for (const each of region) {
    if (!REGION.test(each)) {
      const isAll = lookup && each === 'all';
      throw usage(`"--region ${each}" is no region of AWS`, isAll ? LIST_REGIONS : '--region eu-west-1');
    }
  }
  if (options.onlyRegions && region.length === 0)
    throw usage(
      '"--only-regions" says that no region can be used but those named',
      'add --region, once for each',
    );
  if (lookup && (options.complete || options.dataEvents)) {
    const named = options.complete ? '--complete' : '--data-events';
    throw usage(`"${named}" is about files: LookupEvents shows management events only`, `leave ${named} out`);
  }
  if (lookup && region.length === 0) throw usage('"--lookup" asks one region at a time', LIST_REGIONS);
  if (lookup && profile === undefined)
    throw usage('"--lookup" needs keys that may look events up', 'add --profile NAME, of ~/.aws');
  if (!lookup && (profile ?? longLived ?? endpoint) !== undefined)
    throw usage('"--profile", "--long-lived" and "--endpoint" belong to --lookup', 'leave them out');
  if (endpoint !== undefined && (!SERVER_URL.test(endpoint) || !URL.canParse(endpoint)))
    throw usage(`"--endpoint" ${WANTS_SERVER_URL}`, '--endpoint https://cloudtrail.eu-west-1.amazonaws.com');
}

/** The keys that look events up may list no regions, so that is for the operator to do. */
const LIST_REGIONS =
  'add --region for each; those that are enabled: aws ec2 describe-regions --query "Regions[].[RegionName]" --output text';

const REGION = /^[a-z]{2,5}(?:-[a-z]+){1,3}-\d{1,2}$/;

/** What the options say of the events that are searched. */
export function statedIn({
  complete,
  onlyRegions,
  dataEvents,
}: ReconcileSearchOptions): ReadonlySet<Statement> {
  return new Set<Statement>([
    ...(complete ? (['complete'] as const) : []),
    ...(onlyRegions ? (['only_regions'] as const) : []),
    ...(dataEvents ? (['data_events'] as const) : []),
  ]);
}
