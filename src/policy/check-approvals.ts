/** What the schema can't say about approvers and about the approvals that rules ask for. */
import { publicKeyFault } from '../sshsig/public-key.ts';
import type { Report } from './fault.ts';
import type { Place } from './map-place.ts';
import type { RawApproval, RawApprover, SoundCapability } from './schema.ts';
import { seconds } from './schema-fields.ts';

const LONGEST_STANDING = 28 * 24 * 3600;

type Approvers = Readonly<Record<string, RawApprover>>;

/** Each key must be one that can be verified, and belong to one approver: two who share a key are one. */
export function checkApprovers(approvers: Approvers, report: Report): void {
  const owners = new Map<string, string>();
  for (const [name, { keys }] of Object.entries(approvers)) {
    keys.forEach((key, index) => {
      const place = ['approvers', name, 'keys', index];
      const fault = publicKeyFault(key);
      if (fault !== null) {
        report(
          place,
          'key_invalid',
          `"keys[${index}]" of ${name} ${fault}`,
          'ssh-keygen -y -f KEY, or cat KEY.pub',
        );
        return;
      }
      const material = key.trim().split(/\s+/)[1] ?? '';
      const owner = owners.get(material);
      if (owner !== undefined) {
        const message = `"keys[${index}]" of ${name} is a key of ${owner} already`;
        report(place, 'duplicate_key', message, 'keep it with one of the two: a key is one person');
      }
      owners.set(material, name);
    });
  }
}

/** Whether the approvals that a capability's rules ask for can be given at all. */
export function checkApprovals(raw: SoundCapability, approvers: Approvers, at: Place, report: Report): void {
  raw.rules?.forEach((rule, index) => {
    if (rule.approval !== undefined) {
      checkApproval(rule.approval, approvers, [...at, 'rules', index, 'approval'], report);
    }
  });
}

function checkApproval(approval: RawApproval, approvers: Approvers, at: Place, report: Report): void {
  if (approval === 'none' || approval === 'prompt') return;
  const terms = approval === 'signed' ? {} : approval;
  const impossible = (place: Place, message: string, fix: string) =>
    report(place, 'approval_impossible', message, fix);

  if (terms.for !== undefined && seconds(terms.for) > LONGEST_STANDING) {
    impossible(
      [...at, 'for'],
      '"for" is longer than 28 days, and requests are kept for no longer than a month',
      'write "for: 672h" or less',
    );
  }
  const [program] = terms.command ?? [];
  if (program !== undefined && !program.includes('/')) {
    impossible(
      [...at, 'command', 0],
      `"${program}" is no path`,
      'write the path of the program, as ./ask.sh',
    );
  }
  if (terms.grade === 'terminal') {
    for (const key of ['approvers', 'command'] as const) {
      if (terms[key] === undefined) continue;
      const message = `"${key}" has no meaning where an unsigned answer counts`;
      impossible([...at, key], message, 'write "grade: ssh_key", or delete it');
    }
    if (terms.self_approval === 'deny' && Object.keys(approvers).length === 0) {
      const message =
        '"self_approval" can\'t be met: what is typed here comes from the user who asks, and the map names nobody who signs';
      impossible([...at, 'self_approval'], message, 'add "approvers:" at the top of the map, or delete it');
    }
    if ((terms.count ?? 1) > 1) {
      const message = '"count" needs signatures: on a terminal nobody can tell two people apart';
      impossible([...at, 'count'], message, 'write "grade: ssh_key", or delete it');
    }
    return;
  }

  terms.approvers?.forEach((name, index) => {
    if (Object.hasOwn(approvers, name)) return;
    const known = Object.keys(approvers).join(', ') || 'none';
    impossible(
      [...at, 'approvers', index],
      `"${name}" is not an approver of this map; known: ${known}`,
      'add it to "approvers:" at the top',
    );
  });
  const eligible = new Set(terms.approvers ?? Object.keys(approvers)).size;
  if (eligible === 0) {
    impossible(
      at,
      '"approval" asks for a signature, and the map names no approvers',
      'add "approvers:" at the top of the map',
    );
  } else if ((terms.count ?? 1) > eligible) {
    const place = terms.count === undefined ? at : [...at, 'count'];
    impossible(
      place,
      `"count" is ${terms.count}, and only ${eligible} may approve`,
      `write "count: ${eligible}" or less`,
    );
  }
}
