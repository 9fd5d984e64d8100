/** Approvals that the caller can give itself, or that nobody can give. */
import type { Check, RuleSubject } from './check.ts';

export const APPROVAL_CHECKS: readonly Check<RuleSubject>[] = [
  {
    code: 'prompt_forgeable',
    severity: 'note',
    why: 'an agent that owns the terminal can type the answer, and the record says approval_grade=terminal',
    *find({ rule: { demand, at } }) {
      if (demand?.grade !== 'terminal') return;
      yield {
        at: `${at}.approval`,
        message: `"${at}" takes an answer that is typed on the terminal`,
        fix: 'write "approval: signed", and name approvers with their keys',
      };
    },
  },
  {
    code: 'touch_impossible',
    severity: 'warning',
    why: 'only keys of a security key (sk-ssh-ed25519, sk-ecdsa) can show a touch, so every request waits in vain',
    *find({ rule: { demand, at }, map }) {
      if (demand?.grade !== 'ssh_key_touch' && demand?.grade !== 'ssh_key_verified') return;
      const names = demand.approvers ?? [...map.approvers.keys()];
      const able = names.filter((name) => map.approvers.get(name)?.keys.some(isSecurityKey));
      if (able.length >= demand.count) return;
      yield {
        at: `${at}.approval`,
        message: `"${at}" demands ${demand.grade} of ${demand.count}, and ${able.length} of its approvers can give it`,
        fix: 'add a key made with "ssh-keygen -t ed25519-sk" to the approvers, or demand ssh_key',
      };
    },
  },
];

function isSecurityKey(line: string): boolean {
  return line.trimStart().startsWith('sk-');
}
