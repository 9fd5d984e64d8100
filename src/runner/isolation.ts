/** A private folder for one run, which the child's SDKs find instead of the caller's configuration and standing access. */
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatHolder, isDead, newHolder, parseHolder } from '../base/lock-holder.ts';
import { ensurePrivateDir } from '../base/private-files.ts';
import { CapwrapError, systemErrorCode } from '../errors.ts';
import type { IsolationName } from '../policy/isolation-names.ts';
import { removeTree } from './remove-tree.ts';

export interface Isolation {
  /** The folder, private to the run. */
  readonly dir: string;
  readonly variables: Readonly<Record<IsolationName, string>>;
  /** An empty HOME for the child, or null where the map leaves it the caller's. */
  readonly home: string | null;
  /** Removes the folder with all that the child left in it; what can't be removed now goes at a later start. */
  remove(): void;
}

/**
 * Makes `<stateDir>/runs/<leaseId>/`: an empty file and empty folders, and with `privateHome` an empty HOME. Removes
 * what runs that died left behind. Throws ERR_STATE_UNSAFE where the folder can't be made.
 */
export function createIsolation(
  stateDir: string,
  leaseId: string,
  options: { readonly privateHome: boolean },
): Isolation {
  const runs = join(stateDir, 'runs');
  const dir = join(runs, leaseId);
  const file = join(dir, 'empty');
  const home = options.privateHome ? join(dir, 'home') : null;
  ensurePrivateDir(runs, process.getuid?.() ?? -1);
  removeLeftovers(runs);
  try {
    mkdirSync(dir, { mode: 0o700 });
    writeFileSync(join(dir, OWNER), formatHolder(newHolder()), { mode: 0o600, flag: 'wx' });
    writeFileSync(file, '', { mode: 0o400, flag: 'wx' });
    for (const name of ['gcloud', 'azure', 'gh']) mkdirSync(join(dir, name), { mode: 0o700 });
    if (home !== null) mkdirSync(home, { mode: 0o700 });
  } catch (error) {
    removeTree(dir);
    const code = systemErrorCode(error) ?? 'unknown error';
    throw new CapwrapError('ERR_STATE_UNSAFE', `"${dir}" can't be made (${code})`, { cause: error });
  }
  const variables: Record<IsolationName, string> = {
    AWS_CONFIG_FILE: file,
    AWS_SHARED_CREDENTIALS_FILE: file,
    BOTO_CONFIG: file,
    AWS_EC2_METADATA_DISABLED: 'true',
    CLOUDSDK_CONFIG: join(dir, 'gcloud'),
    CLOUDSDK_CORE_CHECK_GCE_METADATA: 'false',
    GOOGLE_APPLICATION_CREDENTIALS: file,
    NO_GCE_CHECK: 'true',
    AZURE_CONFIG_DIR: join(dir, 'azure'),
    KUBECONFIG: file,
    GH_CONFIG_DIR: join(dir, 'gh'),
  };
  return { dir, variables, home, remove: () => void removeTree(dir) };
}

const OWNER = 'owner';
const MINUTE = 60_000;
/** No lease lasts so long, so whoever made the folder needs it no more. */
const TOO_OLD = 7 * 24 * 60 * MINUTE;

function removeLeftovers(runs: string): void {
  for (const name of readdirSync(runs)) {
    const dir = join(runs, name);
    if (isLeftover(dir)) removeTree(dir);
  }
}

function isLeftover(dir: string): boolean {
  try {
    const age = Date.now() - lstatSync(dir).mtimeMs;
    if (age > TOO_OLD) return true;
    const holder = ownerOf(dir);
    // A folder without a readable owner is being made by another run, or was left half made.
    return holder === null ? age > MINUTE : isDead(holder, dir);
  } catch {
    return false; // gone already
  }
}

function ownerOf(dir: string) {
  try {
    return parseHolder(readFileSync(join(dir, OWNER), 'latin1'));
  } catch {
    return null;
  }
}
