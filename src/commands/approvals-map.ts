/** The map on which a request was asked, for whoever answers it on the same machine. */
import type { ApprovalRequest } from '../approval/request.ts';
import type { ApprovalDemand, Approver } from '../policy/capability.ts';
import { readMapFile } from '../policy/map-file.ts';
import { parseMap } from '../policy/parse.ts';
import type { CommandContext } from '../ui/context.ts';

export interface AskedMap {
  readonly approvers: ReadonlyMap<string, Approver>;
  /** What the rule asks for, as the map has it. */
  readonly demand: ApprovalDemand;
}

/** Null where the map is not there any more, or has other content than when it was asked: then no answer can count. */
export function mapOfRequest({ ambient }: CommandContext, { binding }: ApprovalRequest): AskedMap | null {
  try {
    const file = readMapFile(binding.map_path, ambient);
    if (file.sha256 !== binding.map_sha256) return null;
    const map = parseMap(file.bytes, file);
    const rule = map.capabilities.get(binding.capability)?.rules.find(({ at }) => at === binding.rule);
    return rule?.demand ? { approvers: map.approvers, demand: rule.demand } : null;
  } catch {
    return null;
  }
}
