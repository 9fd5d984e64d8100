/** The audit log of a command, kept as the settings say. */

import { escapeText } from '../base/escape.ts';
import type { StatePlace } from '../base/state.ts';
import type { CommandContext } from '../ui/context.ts';
import { openAuditLog } from './log/log.ts';
import type { AuditLog } from './record/record.ts';
import { auditSettings } from './settings.ts';

/**
 * As `openAuditLog`; `warn` is told what a witness didn't take. Throws ERR_CONFIG_INVALID or ERR_STATE_UNSAFE where the
 * settings can't be had.
 */
export function auditLogFor(
  { ambient, admin, err }: Pick<CommandContext, 'ambient' | 'admin' | 'err'>,
  state: Pick<StatePlace, 'dir'> & Partial<Pick<StatePlace, 'repairedMode'>>,
  warn = (message: string) => err(`capwrap: warning: ${escapeText(message)}`),
): AuditLog {
  const place = { stateDir: state.dir, uid: ambient.uid };
  const { rotate, witness } = auditSettings(admin, place);
  const witnesses =
    witness.file === null && witness.syslog === null ? undefined : { settings: witness, warn };
  return openAuditLog({ ...place, rotate, witnesses, repairedDirMode: state.repairedMode ?? null });
}
