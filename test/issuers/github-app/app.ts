/** The GitHub App of the tests: its names and its key, which nobody has registered anywhere. */
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const APP_ID = '123456';
export const CLIENT_ID = 'Iv23liTestTestTest01';
export const APP_SLUG = 'web-deployer';
export const INSTALLATION_ID = '4242';
export const OWNER = 'acme';
/** Where the app is installed. */
export const REPOSITORIES = ['web-app', 'docs', 'lab'] as const;
/** What the installation has been given. */
export const PERMISSIONS: Readonly<Record<string, string>> = {
  contents: 'write',
  checks: 'write',
  pull_requests: 'read',
  metadata: 'read',
};

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const APP_KEY = pair.publicKey;
/** As GitHub gives it: PKCS#1. */
export const APP_PEM = pair.privateKey.export({ type: 'pkcs1', format: 'pem' }) as string;
export const APP_PEM_PKCS8 = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;

/** Writes the key where only this user can read it. */
export function keyFile(folder: string, pem = APP_PEM): string {
  const path = join(folder, 'app.pem');
  writeFileSync(path, pem, { mode: 0o600 });
  return path;
}
