/** What `capwrap doctor` says of the witnesses of the audit log: whether they could take a head. It leaves none with them. */
import { statSync } from 'node:fs';
import { auditLogPath } from '../audit/log/log.ts';
import { auditSettings } from '../audit/settings.ts';
import { fileHint } from '../audit/witness/offer.ts';
import { lookAtForeign } from '../base/append-foreign.ts';
import type { SyslogTarget, WitnessSettings } from '../base/audit-settings.ts';
import { statePlace } from '../base/state.ts';
import type { CommandContext } from '../ui/context.ts';
import { type Check, type CheckStatus, check, look } from './doctor-check.ts';

const FILE = 'audit_witness.file';
const SYSLOG = 'audit_witness.syslog';

/** One for each witness, or one that says that there is none. `offline` asks no host. */
export async function lookAtWitnesses(
  { ambient, admin }: CommandContext,
  offline: boolean,
): Promise<readonly Check[]> {
  const { dir } = statePlace(ambient, admin);
  const { witness } = auditSettings(admin, { stateDir: dir, uid: ambient.uid });
  const { file, syslog } = witness;
  if (file === null && syslog === null) {
    const detail = 'none is named: a log that was cut or written anew can be told by anchors alone';
    return [check('audit_witness', 'ok', detail)];
  }
  return [
    ...(file === null
      ? []
      : [await look(FILE, () => fileCheck(file, auditLogPath(dir), ambient.uid, witness))]),
    ...(syslog === null ? [] : [await look(SYSLOG, () => syslogCheck(syslog, offline, witness))]),
  ];
}

function fileCheck(path: string, log: string, uid: number, witness: WitnessSettings): Check {
  const found = lookAtForeign(path, { create: false, not: log });
  if (typeof found === 'string') return fault(FILE, witness, `"${path}" ${found}`, fileHint(path));
  const detail = `"${path}" can be added to${terms(witness)}`;
  const besideLog = statSync(log, { throwIfNoEntry: false })?.dev === found.dev;
  return found.uid === uid && besideLog
    ? check(
        FILE,
        'warning',
        `${detail}; it is yours and on the disk of the log: unless root made it append-only, who can rewrite the log can rewrite it`,
      )
    : check(FILE, 'ok', detail);
}

async function syslogCheck(target: SyslogTarget, offline: boolean, witness: WitnessSettings): Promise<Check> {
  const { nameOf, reachSyslog } = await import('../audit/witness/syslog.ts');
  const name = target.kind === 'journald' ? target.kind : nameOf(target);
  if (target.kind === 'udp') return check(SYSLOG, 'skipped', `${name}: nobody answers over UDP`);
  if (target.kind === 'tcp' && offline) return check(SYSLOG, 'skipped', `${name}: not asked: --offline`);
  const why = await reachSyslog(target);
  return why === null
    ? check(SYSLOG, 'ok', `${name} accepts a connection${terms(witness)}`)
    : fault(SYSLOG, witness, why, null);
}

/** Without a required witness no run starts. */
function fault(name: string, { required }: WitnessSettings, why: string, fix: string | null): Check {
  const status: CheckStatus = required ? 'problem' : 'warning';
  return check(name, status, required ? `${why}, and nothing is issued without it (required)` : why, fix);
}

function terms({ required }: WitnessSettings): string {
  return required ? ', and nothing is issued without it (required)' : '';
}
