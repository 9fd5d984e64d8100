/** From the words of a request to a decision; `run`, `explain` and `run --dry-run` walk this one path. */

import type { UsageLook } from './audit/leases/usage.ts';
import { parseDuration } from './base/duration.ts';
import type { StatePlace } from './base/state.ts';
import { CapwrapError } from './errors.ts';
import { decided, usageOf } from './limits-of-run.ts';
import type { Capability, CapabilityMap } from './policy/capability.ts';
import type { Decision } from './policy/decision.ts';
import { needsCommitClean, needsSha256, needsVerified } from './policy/evaluate.ts';
import { findMapFile, type MapFile, readMapFile } from './policy/map-file.ts';
import { parseMap } from './policy/parse.ts';
import { policyOf } from './policy/providers/index.ts';
import { nearest } from './policy/suggest.ts';
import type { Facts } from './request/facts.ts';
import { gatherFacts, type RequestClaims } from './request/gather-facts.ts';
import type { RunRequest } from './request/run-request.ts';
import { type Identity, withVerified } from './request/verified.ts';
import { resolveCommand } from './runner/resolve-command.ts';
import type { TrustJudgement } from './trust/judge.ts';
import { judgeMap } from './trust/judge-map.ts';
import type { CommandContext } from './ui/context.ts';
import { openStateFor } from './ui/open-state.ts';

/** What the caller says about a request; flags win over `CAPWRAP_*` variables. */
export interface RequestOptions {
  readonly map?: string | undefined;
  readonly capability: string;
  readonly justification?: string | undefined;
  readonly taskId?: string | undefined;
  readonly actor?: string | undefined;
  readonly environment?: string | undefined;
  readonly ttl?: string | undefined;
}

/** A map that was read and judged, but not yet parsed. */
export interface JudgedMap {
  readonly state: StatePlace;
  readonly file: MapFile;
  readonly trust: TrustJudgement;
}

export interface Situation extends JudgedMap {
  readonly map: CapabilityMap;
  readonly capability: Capability;
  readonly request: RunRequest;
  readonly decision: Decision;
  /** What the limits were counted from; null where there are none, or where it couldn't be told. */
  readonly usageLook: UsageLook | null;
}

/** Finds and reads the map, and says whether its exact bytes are trusted. */
export async function readJudgedMap(
  context: CommandContext,
  explicit: string | undefined,
  state: StatePlace = openStateFor(context),
): Promise<JudgedMap> {
  const { ambient, admin } = context;
  const asked = findMapFile(ambient, explicit);
  const file = readMapFile(asked, ambient);
  const trust = await judgeMap(file, asked, { ambient, admin, stateDir: state.dir });
  return { state, file, trust };
}

/**
 * Gathers the facts, looks the command up, and decides. Obtains no credential and writes nothing; it asks the CI system for
 * a token of its own only where a rule of a trusted map demands facts that are verified.
 */
export async function decide(
  context: CommandContext,
  judged: JudgedMap,
  options: RequestOptions,
  argv: readonly string[] | null,
  registerSecret: RegisterSecret = () => {},
): Promise<Situation> {
  const { ambient } = context;
  const ttlRequested = options.ttl === undefined ? null : secondsOf(options.ttl);
  const map = parseMap(judged.file.bytes, judged.file);
  const capability = findCapability(map, options.capability);
  const command =
    argv === null
      ? null
      : resolveCommand(argv, {
          cwd: ambient.cwd,
          path: childPath(capability, ambient.env),
          sha256: needsSha256(capability),
        });
  const gathered = await requestOf(context, options, {
    command,
    ttlRequested,
    wantCommitClean: needsCommitClean(capability),
  });
  const facts = await verifiedFacts(context, { ...judged, capability }, gathered.facts, registerSecret);
  const request = { ...gathered, facts };
  const situation = { ...judged, map, capability, request };
  const counted = await usageOf(context, situation);
  return { ...situation, ...decided(situation, counted?.usage ?? null), usageLook: counted?.look ?? null };
}

/**
 * The facts, with those that the capability's rules demand verified checked against a signed token. What an untrusted map
 * names is not asked.
 */
export async function verifiedFacts(
  { ambient }: CommandContext,
  { trust, state, capability }: Pick<Situation, 'trust' | 'state' | 'capability'>,
  facts: Facts,
  registerSecret: RegisterSecret = () => {},
): Promise<Facts> {
  const names = needsVerified(capability);
  if (names.length === 0) return facts;
  const untrusted: Identity = { failure: 'the map is not trusted' };
  if (!trust.trusted) return withVerified(facts, names, untrusted);
  const { readIdentity } = await import('./broker/identity/read-identity.ts');
  const { config } = capability;
  const sources = policyOf(config)
    .proofs(config)
    .map(({ source }) => source);
  const broker = { env: ambient.env, stateDir: state.dir, now: () => new Date(), registerSecret };
  return withVerified(facts, names, await readIdentity(sources, broker));
}

type RegisterSecret = (name: string, value: string) => void;

/** What is asked, with the facts as they are now; flags win over `CAPWRAP_*` variables. */
export async function requestOf(
  { ambient }: CommandContext,
  { capability, environment, actor, taskId: claimedTask, justification }: RequestOptions,
  asked: Pick<RunRequest, 'command' | 'ttlRequested'> & Pick<RequestClaims, 'wantCommitClean'>,
): Promise<RunRequest> {
  const { command, ttlRequested, wantCommitClean } = asked;
  const { facts, taskId } = await gatherFacts(ambient, {
    environment,
    actor,
    taskId: claimedTask,
    wantCommitClean,
  });
  return {
    capability,
    facts,
    command,
    justification: justification ?? ambient.env['CAPWRAP_JUSTIFICATION'] ?? null,
    taskId,
    ttlRequested,
    usage: null,
  };
}

/** The `PATH` that the child will have, which is where its program is looked up. */
export function childPath(
  capability: Capability,
  callerEnv: Readonly<Record<string, string>>,
): string | undefined {
  return capability.env.set['PATH'] ?? (capability.env.pass.includes('PATH') ? callerEnv['PATH'] : undefined);
}

/** The named capability; throws ERR_CAPABILITY_UNKNOWN with the nearest name. */
export function findCapability(map: CapabilityMap, name: string): Capability {
  const capability = map.capabilities.get(name);
  if (capability) return capability;
  const guess = nearest(name, [...map.capabilities.keys()]);
  throw new CapwrapError('ERR_CAPABILITY_UNKNOWN', `capability "${name}" is not defined in ${map.path}`, {
    hint: guess ? `did you mean "${guess}"?` : 'capwrap list',
  });
}

function secondsOf(text: string): number {
  const seconds = parseDuration(text);
  if (seconds !== null) return seconds;
  throw new CapwrapError('ERR_USAGE', `"--ttl ${text}" is not a duration`, {
    hint: 'write 900, 15m or 1h30m',
  });
}
