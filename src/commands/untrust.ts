/** `capwrap untrust`: removes pins, so that the map's content grants nothing any more. */
import { openAuditLog } from '../audit/log.ts';
import { escapeText, toJson } from '../base/escape.ts';
import { openState } from '../base/state.ts';
import { CapwrapError } from '../errors.ts';
import { findMapFile, pinnedPathOf } from '../policy/map-file.ts';
import { isDigest, removePins } from '../trust/pins.ts';
import type { Command } from './command.ts';
import { pinRecord } from './trust.ts';

export interface UntrustOptions {
  /** The map, which may be gone already; undefined means the one that `run` would use. */
  readonly file?: string | undefined;
  /** Removes only the pin of this content. */
  readonly sha256?: string | undefined;
}

/**
 * Removes the pins of one map, or the one of `sha256`. Answers 1 where there was none. The pins go first and the
 * records follow: a log that can't be written must not keep a map trusted.
 */
export const untrust: Command<UntrustOptions> = async (context, options) => {
  const { ambient, admin } = context;
  if (options.sha256 !== undefined && !isDigest(options.sha256)) {
    throw new CapwrapError('ERR_USAGE', '"--sha256" must be 64 lower-case hex digits', {
      hint: 'capwrap trust --list',
    });
  }
  const path = pinnedPathOf(findMapFile(ambient, options.file));
  const state = openState(ambient, admin);
  const removed = await removePins(state.dir, ambient.uid, path, options.sha256);
  if (removed.length > 0) {
    const log = openAuditLog({ stateDir: state.dir, uid: ambient.uid });
    for (const pin of removed) {
      await log.append(pinRecord('untrusted', pin, ambient, state), { durable: true });
    }
  }
  const digests = removed.map((pin) => pin.sha256);
  const lines = digests.map((sha256) => `"${escapeText(path)}" is not trusted any more\nsha256 ${sha256}\n`);
  await context.out(
    context.json
      ? `${toJson({ path, removed: digests })}\n`
      : lines.join('') || `"${escapeText(path)}" was not pinned\n`,
  );
  return removed.length > 0 ? 0 : 1;
};
