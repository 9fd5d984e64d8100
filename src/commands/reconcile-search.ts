/** The options of a reconciliation that say where to search, and the search. */

import { listEventFiles } from '../audit/reconcile/files/list-files.ts';
import { searchFiles } from '../audit/reconcile/files/search-files.ts';
import type { AwsLease } from '../audit/reconcile/lease.ts';
import type { Search } from '../audit/reconcile/search.ts';
import type { Sightings } from '../audit/reconcile/sightings.ts';
import type { Statement } from '../audit/record/reconciled-record.ts';
import { escapeText } from '../base/escape.ts';
import { plural } from '../base/plural.ts';
import { SERVER_URL, WANTS_SERVER_URL } from '../base/server-url.ts';
import { statePlace } from '../base/state.ts';
import type { KeyProof } from '../broker/sources/proof.ts';
import { CapwrapError } from '../errors.ts';
import type { SecretRegistry } from '../redact/registry.ts';
import type { CommandContext } from '../ui/context.ts';

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

export interface Searched {
  readonly lease: AwsLease;
  readonly sightings: Sightings;
  readonly search: Search;
}

/** Searches for each lease in turn. Throws ERR_USAGE for options that don't go together, before anything is read or asked. */
export async function* searchEach(
  context: CommandContext,
  options: ReconcileSearchOptions,
  leases: readonly AwsLease[],
  secrets: SecretRegistry,
): AsyncGenerator<Searched> {
  assertOptions(options);
  if (options.events !== undefined) yield* inFiles(context, options.events, options, leases);
  else if (leases.length > 0) yield* byLookup(context, options, leases, secrets);
}

function assertOptions(options: ReconcileSearchOptions): void {
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

function statedIn({ complete, onlyRegions, dataEvents }: ReconcileSearchOptions): ReadonlySet<Statement> {
  return new Set<Statement>([
    ...(complete ? (['complete'] as const) : []),
    ...(onlyRegions ? (['only_regions'] as const) : []),
    ...(dataEvents ? (['data_events'] as const) : []),
  ]);
}

async function* inFiles(
  context: CommandContext,
  places: readonly string[],
  options: ReconcileSearchOptions,
  leases: readonly AwsLease[],
): AsyncGenerator<Searched> {
  const files = listEventFiles(places);
  if (leases.length === 0) return;
  const said = { regions: options.region ?? [], stated: statedIn(options) };
  const { search, gathering, faults, faultCount } = await searchFiles(leases, files, said);
  const warn = (text: string) => context.err(`capwrap: warning: ${text}`);
  if (files.paths.length === 0) warn('there is no file of events (.json, .jsonl, .ndjson, each also .gz)');
  for (const { path, line, why } of faults)
    warn(`"${escapeText(path)}"${line === null ? '' : `, line ${line},`} ${why}`);
  if (faultCount > faults.length)
    warn(`and ${faultCount - faults.length} more places that could not be read`);
  const [link] = files.leftOut;
  if (link !== undefined)
    warn(
      `not looked at, because they are links, or no whole files: ${files.leftOut.length}, first "${escapeText(link)}"`,
    );
  if (files.otherNames > 0 && !context.quiet)
    context.err(`not looked at, because of their names: ${files.otherNames}`);
  for (const lease of leases) yield { lease, sightings: gathering.of(lease), search };
}

async function* byLookup(
  context: CommandContext,
  options: ReconcileSearchOptions,
  leases: readonly AwsLease[],
  secrets: SecretRegistry,
): AsyncGenerator<Searched> {
  const stop = new AbortController();
  const proof = await readKeys(context, options, secrets, stop.signal);
  const [sdk, { Pace, searchLookup }, { regionalEndpoint }] = await Promise.all([
    import('../audit/reconcile/lookup/sdk.ts'),
    import('../audit/reconcile/lookup/search-lookup.ts'),
    import('../broker/providers/aws-sts/arn.ts'),
  ]);
  const regions = [...new Set(options.region)].map((region) => ({ region, pace: new Pace(options.paceMs) }));
  if (!context.quiet && !context.json)
    context.err(
      `asking CloudTrail in ${plural(regions.length, 'region')} for ${plural(leases.length, 'lease')}, at its two requests a second`,
    );
  try {
    for (const lease of leases) {
      const places = regions.map(({ region, pace }) => {
        const url = options.endpoint ?? regionalEndpoint(region, lease.partition, 'cloudtrail');
        return { pace, place: { sdk, proof, region, endpoint: new URL(url), signal: stop.signal } };
      });
      yield { lease, ...(await searchLookup(lease, places, statedIn(options))) };
    }
  } finally {
    stop.abort();
  }
}

/** The keys of the profile, by the rules of the map's source of that name. */
async function readKeys(
  { ambient, admin }: CommandContext,
  { profile = '', longLived }: ReconcileSearchOptions,
  secrets: SecretRegistry,
  signal: AbortSignal,
): Promise<KeyProof> {
  const { readSource } = await import('../broker/sources/read-source.ts');
  const source = {
    type: 'profile',
    profile,
    configFile: null,
    credentialsFile: null,
    longLived: longLived === 'allow',
  } as const;
  try {
    const proof = await readSource(source, {
      env: ambient.env,
      stateDir: statePlace(ambient, admin).dir,
      signal,
      now: () => new Date(),
      registerSecret: (name, value) => secrets.register(name, value),
    });
    if (proof.kind === 'keys') return proof;
    throw new CapwrapError('ERR_INTERNAL', `"${proof.label}" holds no keys`);
  } catch (error) {
    if (!(error instanceof CapwrapError)) throw error;
    // The hints of a source are lines of the map, where this profile doesn't stand.
    const hint =
      error.code === 'ERR_SOURCE_LONG_LIVED'
        ? 'use a profile with a session of its own; or accept this key: --long-lived allow'
        : /\bmap\b|source:/.test(error.hint ?? '')
          ? 'put the keys of a session into a profile: aws configure export-credentials --profile NAME'
          : error.hint;
    throw new CapwrapError(error.code, error.message, { hint });
  }
}
