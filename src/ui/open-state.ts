/** The state directory for a command: what had to be repaired about it is said, once. */
import { escapeText } from '../base/escape.ts';
import { openState, type StatePlace } from '../base/state.ts';
import type { CommandContext } from './context.ts';

/** As `openState`; warns on standard error where others could get at the directory. */
export function openStateFor(context: Pick<CommandContext, 'ambient' | 'admin' | 'err'>): StatePlace {
  const state = openState(context.ambient, context.admin);
  if (state.repairedMode !== null) {
    const was = `had mode ${state.repairedMode}, so that others could get at it; it has 0700 now`;
    context.err(`capwrap: warning: "${escapeText(state.dir)}" ${was}`);
  }
  return state;
}
