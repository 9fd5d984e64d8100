/** Keys, profiles and home directories for the tests of key sources. No key is anybody's. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyProof } from '../../src/broker/sources/proof.ts';
import type { Source } from '../../src/policy/capability.ts';
import { tempDir } from '../helpers/cli.ts';

export const ID = 'ASIAQNXAMPLEKEY12345';
export const LONG_LIVED_ID = 'AKIAIOSFODNN7EXAMPLE';
export const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
export const TOKEN = 'IQoJb3JpZ2luX2VjEXAMPLE+token/with=signs==';
export const KEYS = `aws_access_key_id = ${ID}\naws_secret_access_key = ${SECRET}\naws_session_token = ${TOKEN}\n`;
export const PROOF: KeyProof = {
  kind: 'keys',
  accessKeyId: ID,
  secretAccessKey: SECRET,
  sessionToken: TOKEN,
  longLived: false,
  label: 'profile:agent-base',
};

export function profile(
  changes: Partial<Extract<Source, { type: 'profile' }>> = {},
): Extract<Source, { type: 'profile' }> {
  return {
    type: 'profile',
    profile: 'agent-base',
    configFile: null,
    credentialsFile: null,
    longLived: false,
    ...changes,
  };
}

/** A home directory with these files in `.aws`. */
export function home(
  files: { readonly config?: string; readonly credentials?: string },
  mode = 0o600,
): string {
  const folder = tempDir();
  mkdirSync(join(folder, '.aws'));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, '.aws', name), text);
    chmodSync(join(folder, '.aws', name), mode);
  }
  return folder;
}
