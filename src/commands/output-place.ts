/** Where a command may write what it was asked for. */
import { realpathSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { assertReplaceable } from '../base/output-file.ts';
import { statePlace } from '../base/state.ts';
import { CapwrapError } from '../errors.ts';
import type { CommandContext } from '../ui/context.ts';

/**
 * The absolute path of a file to write; asked before hard work, so that it isn't in vain. Throws ERR_USAGE for the state
 * directory, where a file in the place of the log would be the end of it, and ERR_OUTPUT_WRITE for what is no regular file.
 */
export function outputPlace({ ambient, admin }: CommandContext, output: string): string {
  const target = resolve(ambient.cwd, output);
  const state = realOf(statePlace(ambient, admin).dir);
  if (`${realOf(dirname(target))}${sep}`.startsWith(`${state}${sep}`)) {
    throw new CapwrapError('ERR_USAGE', `"${target}" lies in capwrap's own state directory`, {
      hint: 'write to another folder, or to standard output: -o -',
    });
  }
  assertReplaceable(target);
  return target;
}

function realOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}
