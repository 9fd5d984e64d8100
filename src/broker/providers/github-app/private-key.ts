/** The app's private key: from a file that nobody else can read, or from a program. It is read anew for each lease. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { userInfo } from 'node:os';
import { basename } from 'node:path';
import { runProgram } from '../../../base/run-program.ts';
import { shellQuote } from '../../../base/shell-quote.ts';
import { SYSTEM_PATH } from '../../../base/system-path.ts';
import { CapwrapError } from '../../../errors.ts';
import type { GitHubAppConfig, KeyCommand } from '../../../policy/providers/github-app.ts';
import type { BrokerContext } from '../../provider.ts';
import { assertUnexposed, readSourceFile } from '../../sources/source-file.ts';

/** A key of 16,384 bits has some 13,000 characters in PEM. */
const MAX_BYTES = 32 * 1024;
/** Time for a program that asks a key store, a touch on a hardware key included. */
const TIMEOUT_MS = 30_000;
/** RFC 7518 section 3.3. */
const MIN_BITS = 2048;

export interface AppKey {
  readonly key: KeyObject;
  /** For the record: `private_key_file:PATH`, or `private_key_command:PROGRAM`. */
  readonly source: string;
}

/**
 * Reads the key. Throws ERR_SOURCE_UNAVAILABLE where the file or the program yields none, and ERR_SOURCE_INVALID for a
 * file that others can read or change, an encrypted key, and anything that is no RSA key of 2048 bits or more.
 */
export async function readPrivateKey(config: GitHubAppConfig, context: BrokerContext): Promise<AppKey> {
  const { privateKeyFile: path, privateKeyCommand: command } = config;
  if (command !== null) {
    const [program = ''] = command.argv;
    const pem = await printedBy(command, context);
    return { key: parseKey(pem, program), source: `private_key_command:${program}` };
  }
  if (path === null) throw new CapwrapError('ERR_INTERNAL', '"github-app" has no private key');
  const file = readSourceFile(path, MAX_BYTES);
  if (file === null) {
    throw new CapwrapError('ERR_SOURCE_UNAVAILABLE', `"${path}" does not exist`, {
      hint: "private_key_file names the app's key, as downloaded from its settings at GitHub",
    });
  }
  registerPem(file.text, context);
  assertUnexposed(file);
  return { key: parseKey(file.text, path), source: `private_key_file:${path}` };
}

/**
 * What the program prints. It runs in the map's folder with the system's PATH, and the user's name and home from the
 * system: nothing of the caller's environment reaches it.
 */
async function printedBy({ argv, dir }: KeyCommand, context: BrokerContext): Promise<string> {
  const [program = ''] = argv;
  const { username, homedir } = userInfo();
  const end = await runProgram({
    argv,
    cwd: dir,
    env: { PATH: SYSTEM_PATH, HOME: homedir, USER: username, LOGNAME: username },
    input: '',
    maxOutput: MAX_BYTES,
    timeoutMs: TIMEOUT_MS,
    signal: context.signal,
  });
  if (end.kind === 'exited') {
    const pem = end.output.toString('latin1');
    registerPem(pem, context);
    if (end.status === 0 && pem.trim() !== '') return pem;
  }
  throw new CapwrapError('ERR_SOURCE_UNAVAILABLE', `"${program}" ${failureOf(end)}`, {
    hint: `try it by itself: ${argv.map(shellQuote).join(' ')} | head -1`,
  });
}

function failureOf(end: Awaited<ReturnType<typeof runProgram>>): string {
  switch (end.kind) {
    case 'exited':
      return end.status === 0 ? 'printed no private key' : `ended with ${end.status} and gave no private key`;
    case 'not_started':
      return `can't be started (${end.code})`;
    case 'killed':
      return `was ended by ${end.name}`;
    case 'timeout':
      return `gave no private key within ${TIMEOUT_MS / 1000} s`;
    case 'aborted':
      return 'had given no private key when the run was interrupted';
    case 'too_large':
      return `printed more than ${MAX_BYTES} bytes`;
  }
}

/** Before anything can fail. A text of another kind than PEM may be a secret as well. */
function registerPem(text: string, context: BrokerContext): void {
  const pem = text.trim();
  if (pem !== '') context.registerSecret('app_private_key', pem);
}

function parseKey(pem: string, from: string): KeyObject {
  const invalid = (what: string, hint: string) =>
    new CapwrapError('ERR_SOURCE_INVALID', `"${from}" ${what}`, { hint });
  const again = "download a private key from the app's settings at GitHub";
  if (/^-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    const hint = `a program that decrypts it can stand in the map: private_key_command: [./decrypt-key.sh, ${basename(from)}]`;
    throw invalid('holds an encrypted key', hint);
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(pem); // PKCS#1, as GitHub gives it, or PKCS#8
  } catch {
    throw invalid('holds no private key in PEM', again); // the library's words could quote it
  }
  if (key.asymmetricKeyType !== 'rsa') throw invalid('holds a key that is not of RSA', again);
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < MIN_BITS) throw invalid(`holds an RSA key of ${bits} bits, fewer than ${MIN_BITS}`, again);
  return key;
}
