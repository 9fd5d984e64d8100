/** The map of a run: read, judged, and trusted; or refused, with a record of who asked for what. */
import type { AuditFields, AuditLog } from './audit/record.ts';
import type { StatePlace } from './base/state.ts';
import { newLeaseId } from './broker/lease-id.ts';
import type { CommandContext } from './commands/context.ts';
import { type JudgedMap, type RequestOptions, readJudgedMap } from './decide.ts';
import { CapwrapError } from './errors.ts';
import { gatherFacts } from './request/gather-facts.ts';

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
    judged = readJudgedMap(context, options.map, state);
  } catch (error) {
    if (error instanceof CapwrapError && error.code === 'ERR_MAP_UNSAFE') {
      await record(request, 'map_unsafe', {
        error: { code: error.code, message: request.mask(error.message) },
      });
    }
    throw error;
  }
  const { file, trust } = judged;
  if (trust.trusted) return judged;
  await record(request, 'map_untrusted', { map_path: file.path, map_sha256: file.sha256 });
  throw new CapwrapError('ERR_MAP_UNTRUSTED', `"${file.path}" is not trusted: ${trust.why}`, {
    hint: trust.hint,
  });
}

async function record(request: MapRequest, reason: string, more: Partial<AuditFields>): Promise<void> {
  const { context, state, options, argv, audit, mask } = request;
  const { facts, taskId } = await gatherFacts(context.ambient, {
    wantCommitClean: false,
    ...claimsOf(options),
  });
  const fields: AuditFields = {
    event: 'denied',
    lease_id: newLeaseId(),
    task_id: mask(taskId),
    actor: facts.actor.value,
    repo: facts.repo.value,
    branch: facts.branch.value,
    commit: facts.commit.value,
    environment: facts.environment.value,
    capability: options.capability,
    facts,
    reason,
    map_trust: 'untrusted',
    command: argv.map(mask),
    cwd: context.ambient.cwd,
    approval: 'none',
    outcome: 'not_issued',
    ...(state.override ? { state_override: state.override } : {}),
    ...more,
  };
  await audit.append(fields, { durable: true });
}

function claimsOf({ environment, actor, taskId }: RequestOptions) {
  return {
    ...(environment === undefined ? {} : { environment }),
    ...(actor === undefined ? {} : { actor }),
    ...(taskId === undefined ? {} : { taskId }),
  };
}
