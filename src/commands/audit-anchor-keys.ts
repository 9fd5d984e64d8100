/** The keys whose signature makes an anchor a trusted one: those that are named, and the administrator's approvers. */
import { resolve } from 'node:path';
import { readForeignFile } from '../base/foreign-file.ts';
import { CapwrapError, systemErrorCode } from '../errors.ts';
import { parsePublicKey } from '../sshsig/public-key.ts';
import type { PrincipalKey } from '../sshsig/verify.ts';
import { SshFormatError } from '../sshsig/wire.ts';
import { adminKeys } from '../trust/approver-keys.ts';
import type { CommandContext } from '../ui/context.ts';

const LARGEST_FILE = 64 * 1024;

/** `named`: public keys of OpenSSH, as a line or as a file with a line for each. Throws ERR_USAGE for what is none. */
export function anchorKeys({ ambient, admin }: CommandContext, named: readonly string[]): PrincipalKey[] {
  const given = named.flatMap((text) => {
    const lines = isKeyLine(text) ? [text] : linesOf(resolve(ambient.cwd, text), text);
    return lines.map((line) => ({ principal: 'named by --anchor-key', key: parse(line, text) }));
  });
  const ofAdmin = adminKeys(admin).map(({ principal, key }) => ({ principal: `approver ${principal}`, key }));
  return [...given, ...ofAdmin];
}

function isKeyLine(text: string): boolean {
  return /^[a-z0-9@.-]+ +AAAA/.test(text);
}

function linesOf(path: string, named: string): string[] {
  const text = read(path, named);
  const lines = text?.split('\n').filter((line) => !/^\s*(?:#|$)/.test(line)) ?? [];
  if (lines.length > 0 && !/PRIVATE KEY/.test(lines[0] ?? '')) return lines;
  throw fault(named, text === null ? 'is too large' : 'holds no public key');
}

function read(path: string, named: string): string | null {
  try {
    return readForeignFile(path, LARGEST_FILE);
  } catch (error) {
    throw fault(named, `can't be read (${systemErrorCode(error) ?? 'unknown error'})`);
  }
}

function parse(line: string, named: string) {
  try {
    return parsePublicKey(line);
  } catch (error) {
    if (error instanceof SshFormatError) throw fault(named, error.reason);
    throw error;
  }
}

function fault(named: string, why: string): CapwrapError {
  return new CapwrapError('ERR_USAGE', `"--anchor-key ${named}" ${why}`, {
    hint: '--anchor-key ~/.ssh/id_ed25519.pub, or --anchor-key "ssh-ed25519 AAAA..."',
  });
}
