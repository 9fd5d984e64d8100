/** What a rule says of approvals and limits, with every default spelled out. */
import { resolve } from 'node:path';
import type { ApprovalDemand, Approver, Limits } from './capability.ts';
import type { RawApproval, RawApprover, RawLimits } from './schema.ts';
import { seconds } from './schema-fields.ts';

const DEFAULT_STANDS_FOR = 3600;

/** Null where nobody is to be asked. A word stands for the mapping with this grade and defaults for the rest. */
export function normaliseApproval(raw: RawApproval | undefined, dir: string): ApprovalDemand | null {
  if (raw === undefined || raw === 'none') return null;
  const { grade, ...terms } =
    typeof raw === 'string' ? { grade: raw === 'prompt' ? ('terminal' as const) : undefined } : raw;
  const demanded = grade ?? 'ssh_key';
  const {
    approvers,
    count,
    self_approval,
    uses,
    for: standsFor,
    command,
    cooldown,
    max_per_hour,
  } = terms as Exclude<RawApproval, string>;
  return {
    kind: demanded === 'terminal' ? 'prompt' : 'signed',
    grade: demanded,
    approvers: approvers ?? null,
    count: count ?? 1,
    selfApproval: self_approval ?? 'allow',
    uses: uses ?? 1,
    standsFor: standsFor === undefined ? DEFAULT_STANDS_FOR : seconds(standsFor),
    command: command === undefined ? null : programOf(command, dir),
    cooldown: cooldown === undefined ? 0 : seconds(cooldown),
    perHour: max_per_hour ?? null,
  };
}

export function normaliseLimits(raw: RawLimits | undefined): Limits | null {
  if (raw === undefined) return null;
  return { perHour: raw.per_hour ?? null, perTask: raw.per_task ?? null, open: raw.open ?? null };
}

export function normaliseApprover(name: string, raw: RawApprover): Approver {
  return { name, keys: raw.keys.map((key) => key.trim()), actors: raw.actors ?? [] };
}

/** The schema asks for a path, so the program is found without a PATH. */
function programOf([program = '', ...rest]: readonly string[], dir: string): readonly string[] {
  return [resolve(dir, program), ...rest];
}
