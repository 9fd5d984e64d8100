/** Who and what a run is about, as every record of it says. */
import { basename } from 'node:path';
import type { RunSubject } from './audit/run-records.ts';
import { isLeaseId, newLeaseId } from './broker/lease-id.ts';
import type { CommandContext } from './commands/context.ts';
import type { Situation } from './decide.ts';
import { scopeWords } from './policy/scope-words.ts';

/** Gives the run its lease id; a run inside another run names that one's as its parent, as the variable claims it. */
export function subjectOf(
  context: CommandContext,
  situation: Situation,
  mask: (text: string) => string,
): RunSubject {
  const parent = context.ambient.env['CAPWRAP_LEASE_ID'];
  const { file, trust, state, capability, request } = situation;
  return {
    leaseId: newLeaseId(),
    parentLeaseId: isLeaseId(parent) ? parent : null,
    request,
    mapPath: file.path,
    mapSha256: file.sha256,
    mapTrust: trust.trusted ? trust.grade : 'untrusted',
    stateOverride: state.override,
    provider: capability.config.provider,
    scope: scopeWords(capability.config),
    mask,
  };
}

/** The last part of the program's name, as a person would call the step. */
export function stepName(argv: readonly string[]): string {
  return basename(argv[0] ?? '');
}
