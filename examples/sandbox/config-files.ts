/** Writes the sandbox's base credentials the way a machine has them: `config` and `credentials`. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BaseCredentials, Credential } from './state.ts';

/** Profile of the user's temporary session: the base of the example map. */
export const BASE_PROFILE = 'agent-base';

export interface ConfigFiles {
  readonly configFile: string;
  readonly credentialsFile: string;
}

/**
 * Writes both files into a directory, which is made where it is missing; they replace what was there. Profiles:
 * `agent-base`, and one for each other base credential (`agent-base-long-lived`, `agent-base-role-session`,
 * `agent-base-expired`).
 */
export function writeConfigFiles(
  directory: string,
  credentials: BaseCredentials,
  region: string,
): ConfigFiles {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const profiles: readonly (readonly [name: string, credential: Credential])[] = [
    [BASE_PROFILE, credentials.base],
    [`${BASE_PROFILE}-long-lived`, credentials.longLived],
    [`${BASE_PROFILE}-role-session`, credentials.roleSession],
    [`${BASE_PROFILE}-expired`, credentials.expired],
  ];
  const files = {
    configFile: join(directory, 'config'),
    credentialsFile: join(directory, 'credentials'),
  };
  const config = profiles.map(([name]) => `[profile ${name}]\nregion = ${region}\n`);
  const secrets = profiles.map(
    ([name, { accessKeyId, secretAccessKey, sessionToken }]) =>
      `[${name}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n` +
      (sessionToken === null ? '' : `aws_session_token = ${sessionToken}\n`),
  );
  replaceFile(files.configFile, config.join('\n'));
  replaceFile(files.credentialsFile, secrets.join('\n'));
  return files;
}

/** A new file of mode 0600: what was there, a link included, is neither followed nor reused. */
function replaceFile(path: string, text: string): void {
  rmSync(path, { force: true });
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
}
