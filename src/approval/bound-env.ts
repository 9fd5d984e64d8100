/** What comes to a command from the shell that it is started in, as far as it steers what the command does. */
import { createHmac } from 'node:crypto';
import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import { sensitiveName } from '../policy/sensitive-names.ts';
import { hashOf, LARGEST_HASHED } from './bound-files.ts';

export interface EnvInput {
  /** The caller's variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Names that the map hands through. */
  readonly pass: readonly string[];
  /** Kept in the state directory: without it a digest says nothing about a value that can be guessed. */
  readonly digestKey: Uint8Array;
}

/** How things look on a terminal: another one must not make an approval worthless. */
const LOOKS = new Set(['TERM', 'COLORTERM', 'NO_COLOR', 'FORCE_COLOR', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ']);

/**
 * Each variable that is handed through, with its value; of one whose name says that it may be secret a keyed digest
 * instead. By the name alone: what a value is called elsewhere is the caller's choice, and must hide nothing.
 */
export function boundVariables({ env, pass, digestKey }: EnvInput): Record<string, string> {
  const bound: Record<string, string> = {};
  for (const name of [...pass].sort()) {
    const value = Object.hasOwn(env, name) && !LOOKS.has(name) ? env[name] : undefined;
    if (value === undefined) continue;
    bound[name] = sensitiveName(name) === null ? value : `hmac-sha256 ${keyedDigest(digestKey, value)}`;
  }
  return bound;
}

/** Says nothing about the text to whoever has not got the key. */
function keyedDigest(key: Uint8Array, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}

/** What standard input is: of a file its content, of a pipe or a terminal nothing but that it is one. */
export function boundInput(): string {
  try {
    const stat = fstatSync(0);
    if (isatty(0)) return 'terminal';
    if (stat.isFIFO() || stat.isSocket()) return 'pipe';
    if (!stat.isFile()) return stat.isCharacterDevice() ? 'device' : 'other';
    return stat.size <= LARGEST_HASHED
      ? `file sha256 ${hashOf(0)}`
      : `file of ${stat.size} bytes from ${stat.mtime.toISOString()}`;
  } catch {
    return 'closed';
  }
}
