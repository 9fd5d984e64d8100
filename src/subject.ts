/** Who and what a run is about, as every record of it says. */
import { basename } from 'node:path';
import type { RunSubject } from './audit/record/run-subject.ts';
import type { StatePlace } from './base/state.ts';
import { isLeaseId, newLeaseId } from './broker/lease-id.ts';
import type { Situation } from './decide.ts';
import { policyOf, scopeWords } from './policy/providers/index.ts';
import type { RunRequest } from './request/run-request.ts';
import type { CommandContext } from './ui/context.ts';

type Mask = (text: string) => string;

/** Gives the run its lease id; a run inside another run names that one's as its parent, as the variable claims it. */
export function subjectOf(context: CommandContext, situation: Situation, mask: Mask): RunSubject {
  const { file, trust, state, capability, request } = situation;
  return {
    ...untrustedSubject(context, { map: file, state, request }, mask),
    mapTrust: trust.trusted ? trust.grade : 'untrusted',
    provider: capability.config.provider,
    scope: scopeWords(capability.config),
    secondProcess: policyOf(capability.config).startsProgram?.(capability.config) ?? false,
  };
}

/** The same for a map that is not trusted, of whose content nothing is looked at. */
export function untrustedSubject(
  { ambient }: CommandContext,
  about: { readonly map: RunSubject['map']; readonly state: StatePlace; readonly request: RunRequest },
  mask: Mask,
): RunSubject {
  const parent = ambient.env['CAPWRAP_LEASE_ID'];
  return {
    leaseId: newLeaseId(),
    parentLeaseId: isLeaseId(parent) ? parent : null,
    request: about.request,
    map: about.map,
    mapTrust: 'untrusted',
    stateOverride: about.state.override,
    provider: null,
    scope: [],
    mask,
  };
}

/** The last part of the program's name, as a person would call the step. */
export function stepName(argv: readonly string[]): string {
  return basename(argv[0] ?? '');
}
