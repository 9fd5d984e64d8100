/** Signing with the person's own key: the private key, its passphrase and its touch are ssh-keygen's business. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { escapeText } from '../base/escape.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { CapwrapError } from '../errors.ts';
import { MAX_ARMORED, parseSignature } from './signature.ts';
import { SshFormatError } from './wire.ts';

export interface SignOptions {
  /** A private key, or a public one whose private key is in the agent. Relative to `cwd`. */
  readonly keyFile: string;
  readonly namespace: string;
  readonly message: Uint8Array;
  /** All that ssh-keygen gets; it is looked for on this PATH, in absolute folders only. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

const PROGRAM = 'ssh-keygen';

/**
 * The armored signature of `ssh-keygen -Y sign`, well-formed but not verified. ssh-keygen may ask on the terminal and
 * writes to standard error, so it is waited for without a limit. Throws ERR_SIGN where it is missing, fails, or writes
 * something else than a signature.
 */
export async function signWithSshKeygen(options: SignOptions): Promise<string> {
  const { keyFile, namespace, env, cwd } = options;
  const program = findProgram(env['PATH'] ?? '');
  if (program === null) {
    throw new CapwrapError('ERR_SIGN', `"${PROGRAM}" is not on PATH`, {
      hint: 'install OpenSSH 8.2 or later, or sign on another machine',
    });
  }
  const args = ['-Y', 'sign', '-n', namespace, '-f', keyFile];
  // No shell, and no descriptor but these three: the message goes in, the signature comes out.
  const child = spawn(program, args, { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] });
  const { output, ending } = await converse(child, options.message);
  if (ending !== null) {
    throw new CapwrapError('ERR_SIGN', `"${escapeText(keyFile)}" signed nothing: ${PROGRAM} ${ending}`, {
      hint: `${PROGRAM} ${args.slice(0, -1).map(shellQuote).join(' ')} ${escapeText(shellQuote(keyFile))} FILE`,
    });
  }
  return checked(output);
}

interface Conversation {
  readonly output: Buffer;
  /** How it ended where it didn't end well, as a sentence fragment. */
  readonly ending: string | null;
}

function converse(child: ChildProcess, message: Uint8Array): Promise<Conversation> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const end = (ending: string | null) => resolve({ output: Buffer.concat(chunks), ending });
    child.on('error', () => end('could not be started'));
    child.on('close', (status, signal) => {
      if (size > MAX_ARMORED) end(`wrote more than ${MAX_ARMORED} bytes`);
      else if (status === 0) end(null);
      else end(status === null ? `was ended by ${signal}` : `ended with status ${status}`);
    });
    child.stdout?.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_ARMORED) chunks.push(chunk);
      else child.kill('SIGKILL');
    });
    child.stdin?.on('error', () => {}); // it ended without reading all; its status says why
    child.stdin?.end(message);
  });
}

function checked(output: Buffer): string {
  try {
    parseSignature(output);
    return output.toString('latin1');
  } catch (error) {
    if (!(error instanceof SshFormatError)) throw error;
    throw new CapwrapError('ERR_SIGN', `"${PROGRAM}" gave a signature that ${error.reason}`, {
      cause: error,
    });
  }
}

/** A relative folder on PATH is the repository's, and nobody signs with a program from there. */
function findProgram(path: string): string | null {
  for (const folder of path.split(':').filter(isAbsolute)) {
    const file = join(folder, PROGRAM);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // not in this folder
    }
  }
  return null;
}
