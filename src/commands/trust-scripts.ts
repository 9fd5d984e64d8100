/** The scripts that a map names with their digest: part of what is trusted, so their state is part of what is shown. */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { escapeText } from '../base/escape.ts';
import { systemErrorCode } from '../errors.ts';
import type { CapabilityMap } from '../policy/capability.ts';

/** A line for each script, once, in the order of the map. */
export function scriptLines(map: CapabilityMap): string[] {
  const lines = [...map.capabilities.values()]
    .flatMap(({ rules }) => rules.map(({ when }) => when.command))
    .filter((command) => command?.kind === 'pinned')
    .map(({ path, sha256 }) => `  ${escapeText(path)}  sha256 ${sha256}: ${stateOf(path, sha256)}`);
  return [...new Set(lines)];
}

function stateOf(path: string, pinned: string): string {
  try {
    const actual = digestOf(path);
    if (actual === null) return 'NOT A REGULAR FILE';
    return actual === pinned ? 'the file has it' : `DIFFERS, the file has ${actual}`;
  } catch (error) {
    const code = systemErrorCode(error);
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'MISSING' : `CAN'T BE READ (${code ?? 'unknown error'})`;
  }
}

/** Never waits on a FIFO or device: that is null. */
function digestOf(path: string): string | null {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    if (!fstatSync(fd).isFile()) return null;
    const hash = createHash('sha256');
    const chunk = Buffer.alloc(64 * 1024);
    for (let read = readSync(fd, chunk); read > 0; read = readSync(fd, chunk))
      hash.update(chunk.subarray(0, read));
    return hash.digest('hex');
  } finally {
    closeSync(fd);
  }
}
