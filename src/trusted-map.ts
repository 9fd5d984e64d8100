/** The map of a run: read, judged, and trusted; or refused, with a record of who asked for what. */
import type { AuditLog } from './audit/record/record.ts';
import { deniedRecord } from './audit/record/run-records.ts';
import { NO_APPROVAL } from './audit/record/run-subject.ts';
import type { StatePlace } from './base/state.ts';
import { type JudgedMap, type RequestOptions, readJudgedMap, requestOf } from './decide.ts';
import { CapwrapError } from './errors.ts';
import type { MapFile } from './policy/map-file.ts';
import { untrustedSubject } from './subject.ts';
import type { CommandContext } from './ui/context.ts';

/** What a refusal is recorded with. */
export interface MapRequest {
  readonly context: CommandContext;
  readonly state: StatePlace;
  readonly options: RequestOptions;
  readonly argv: readonly string[];
  readonly audit: AuditLog;
  readonly mask: (text: string) => string;
}

/**
 * The map, whose exact bytes are trusted. A map that others may write, or that nobody has reviewed, is what an agent's
 * attempt would look like, so its refusal is recorded before it is thrown. Nothing of its content is looked at.
 */
export async function trustedMap(request: MapRequest): Promise<JudgedMap> {
  const { context, state, options } = request;
  let judged: JudgedMap;
  try {
    judged = await readJudgedMap(context, options.map, state);
  } catch (error) {
    if (error instanceof CapwrapError && error.code === 'ERR_MAP_UNSAFE') {
      await record(request, 'map_unsafe', null, error);
    }
    throw error;
  }
  const { file, trust } = judged;
  if (trust.trusted) return judged;
  await record(request, 'map_untrusted', file);
  throw new CapwrapError('ERR_MAP_UNTRUSTED', `"${file.path}" is not trusted: ${trust.why}`, {
    hint: trust.hint,
  });
}

async function record(asked: MapRequest, reason: string, map: MapFile | null, fault?: CapwrapError) {
  const { context, state, options, argv, audit, mask } = asked;
  const request = await requestOf(context, options, {
    command: { argv, cwd: context.ambient.cwd, path: null, fault: null, sha256: null },
    ttlRequested: null,
    wantCommitClean: false,
  });
  const subject = untrustedSubject(context, { map, state, request }, mask);
  const denied = deniedRecord(subject, reason, null, NO_APPROVAL);
  const error = fault && { code: fault.code, message: mask(fault.message) };
  await audit.append({ ...denied, ...(error ? { error } : {}) }, { durable: true });
}
