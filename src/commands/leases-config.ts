/**
 * The config by which a lease can be ended at its issuer, long after its run. It comes from the map that issued it, and
 * only as long as that is trusted: who can write the log must not be able to send a source's proof to an address of their
 * own.
 */
import { dirname } from 'node:path';
import type { StoredRecord } from '../audit/record/stored-record.ts';
import { textAt } from '../audit/record/stored-record.ts';
import { CapwrapError } from '../errors.ts';
import type { ProviderConfig } from '../policy/capability.ts';
import { type MapFile, readMapFile } from '../policy/map-file.ts';
import { parseMap } from '../policy/parse.ts';
import { policyOf } from '../policy/providers/index.ts';
import { judgeMap } from '../trust/judge-map.ts';
import { readVersion } from '../trust/versions.ts';
import type { CommandContext } from '../ui/context.ts';

export type FoundConfig =
  | { readonly config: ProviderConfig }
  /** Why there is none, as the end of a sentence. */
  | { readonly config: null; readonly why: string };

/**
 * From the version of the map that the record names: the file, where it still has that content, else the copy that was
 * kept when it was trusted. That version must be trusted now; or the version that is trusted now must ask the same of
 * the same issuer, so that nothing is sent elsewhere and no other server's answer is taken for the issuer's.
 */
export async function configOf(
  context: CommandContext,
  stateDir: string,
  granted: StoredRecord,
): Promise<FoundConfig> {
  const path = textAt(granted, 'map_path') ?? '';
  const sha256 = textAt(granted, 'map_sha256') ?? '';
  const capability = textAt(granted, 'capability') ?? '';
  const none = (why: string): FoundConfig => ({ config: null, why });
  if (!/^[0-9a-f]{64}$/.test(sha256) || path === '') return none('its record names no map');

  const { ambient, admin } = context;
  const scene = { ambient, admin, stateDir };
  const now = fileAt(path, context);
  const trusted = async (file: MapFile) => (await judgeMap(file, path, scene)).trusted;
  const then = now?.sha256 === sha256 ? now : keptVersion(path, sha256, stateDir, ambient.uid);
  if (then === null) return none('the version of its map is neither in its place nor kept');
  const config = capabilityOf(then, capability);
  if (config === null) return none('its map has no such capability');
  if (await trusted(then)) return { config };
  const today = now !== null && (await trusted(now)) ? capabilityOf(now, capability) : null;
  if (today === null) return none('its map is not trusted any more');
  const same =
    today.provider === config.provider && policyOf(config).compare(config, today, capability).length === 0;
  return same ? { config } : none('its map has been changed since, in what it asks of the issuer');
}

function fileAt(path: string, { ambient }: CommandContext): MapFile | null {
  try {
    return readMapFile(path, ambient);
  } catch (error) {
    if (error instanceof CapwrapError) return null;
    throw error;
  }
}

function keptVersion(path: string, sha256: string, stateDir: string, uid: number): MapFile | null {
  const kept = readVersion({ stateDir, uid }, sha256);
  return kept.kind === 'kept'
    ? { path, dir: dirname(path), bytes: kept.bytes, sha256, adminOwned: false }
    : null;
}

function capabilityOf(file: MapFile, name: string): ProviderConfig | null {
  try {
    return parseMap(file.bytes, file).capabilities.get(name)?.config ?? null;
  } catch (error) {
    if (error instanceof CapwrapError) return null;
    throw error;
  }
}
