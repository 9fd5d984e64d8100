/** The settings of a log: the administrator's, then those of `config.yaml` beside the log, then the defaults. */
import { join } from 'node:path';
import type { AdminConfig } from '../base/admin-config.ts';
import { entries } from '../base/admin-nodes.ts';
import { type AuditSettings, DEFAULT_AUDIT_SETTINGS, readAuditSettings } from '../base/audit-settings.ts';
import { openConfig } from '../base/config-document.ts';
import { readPrivateFile } from '../base/private-files.ts';

/** Where a user's own settings of a state directory are. */
export function auditSettingsPath(stateDir: string): string {
  return join(stateDir, 'config.yaml');
}

/**
 * Section by section. Throws ERR_CONFIG_INVALID for what isn't understood, and ERR_STATE_UNSAFE where somebody else could
 * have written the user's file. A missing file costs one system call.
 */
export function auditSettings(
  admin: AdminConfig,
  place: { readonly stateDir: string; readonly uid: number },
): AuditSettings {
  return { ...DEFAULT_AUDIT_SETTINGS, ...ofUser(place), ...admin.audit };
}

function ofUser({
  stateDir,
  uid,
}: {
  readonly stateDir: string;
  readonly uid: number;
}): Partial<AuditSettings> {
  const path = auditSettingsPath(stateDir);
  const bytes = readPrivateFile(path, uid, 64 * 1024);
  const document = bytes === null ? null : openConfig(bytes.toString('utf8'), path);
  if (document === null) return {};
  const { contents, invalid } = document;
  const audit = entries(contents, 'config', ['audit'], invalid).get('audit');
  return audit ? readAuditSettings(audit, invalid) : {};
}
