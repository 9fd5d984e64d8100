/** The search of a reconciliation: in files of exported events, or by asking CloudTrail. */
import { listEventFiles } from '../audit/reconcile/files/list-files.ts';
import { searchFiles } from '../audit/reconcile/files/search-files.ts';
import type { AwsLease } from '../audit/reconcile/lease.ts';
import type { Search } from '../audit/reconcile/search.ts';
import type { Sightings } from '../audit/reconcile/sightings.ts';
import { escapeText } from '../base/escape.ts';
import { plural } from '../base/plural.ts';
import { statePlace } from '../base/state.ts';
import type { KeyProof } from '../broker/sources/proof.ts';
import { CapwrapError } from '../errors.ts';
import type { SecretRegistry } from '../redact/registry.ts';
import type { CommandContext } from '../ui/context.ts';
import { assertOptions, type ReconcileSearchOptions, statedIn } from './reconcile-options.ts';

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
