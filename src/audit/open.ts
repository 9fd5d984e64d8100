/** The audit log of a command, kept as the settings say. */
import type { StatePlace } from '../base/state.ts';
import type { CommandContext } from '../ui/context.ts';
import { openAuditLog } from './log/log.ts';
import type { AuditLog } from './record/record.ts';
import { auditSettings } from './settings.ts';

/** As `openAuditLog`. Throws ERR_CONFIG_INVALID or ERR_STATE_UNSAFE where the settings can't be had. */
export function auditLogFor(
  { ambient, admin }: Pick<CommandContext, 'ambient' | 'admin'>,
  state: Pick<StatePlace, 'dir'> & Partial<Pick<StatePlace, 'repairedMode'>>,
): AuditLog {
  const place = { stateDir: state.dir, uid: ambient.uid };
  const { rotate } = auditSettings(admin, place);
  return openAuditLog({ ...place, rotate, repairedDirMode: state.repairedMode ?? null });
}
