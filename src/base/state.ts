/** Where capwrap keeps what outlives a run: audit log, pins, the local issuer's keys. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { CapwrapError } from '../errors.ts';
import type { AdminConfig } from './admin-config.ts';
import type { Ambient } from './ambient.ts';
import { ensurePrivateDir } from './private-files.ts';

export interface StatePlace {
  readonly dir: string;
  /** The caller's wish that moved the place, or that the administrator's config overruled; for the record. */
  readonly override: string | null;
  /** The mode that the directory had, in octal, where it was open to others and has just been tightened; else null. */
  readonly repairedMode: string | null;
}

/**
 * The state directory: the administrator's, else `$CAPWRAP_HOME`, else `$XDG_STATE_HOME/capwrap`, else
 * `~/.local/state/capwrap`. Created with mode 0700; a symbolic link or a foreign owner is refused.
 */
export function openState(ambient: Ambient, admin: AdminConfig): StatePlace {
  const place = statePlace(ambient, admin);
  return { ...place, repairedMode: ensurePrivateDir(place.dir, ambient.uid) };
}

/** As `openState`, without touching the file system. */
export function statePlace(ambient: Ambient, admin: AdminConfig): StatePlace {
  const wished = ambient.env['CAPWRAP_HOME'];
  if (wished !== undefined && !isAbsolute(wished)) {
    throw new CapwrapError('ERR_STATE_UNSAFE', '"CAPWRAP_HOME" must be an absolute path', {
      hint: 'export CAPWRAP_HOME="$HOME/.local/state/capwrap"',
    });
  }
  const override = wished ? `CAPWRAP_HOME=${wished}` : null;
  const repairedMode = null;
  if (admin.stateDir !== null) return { dir: admin.stateDir, override, repairedMode };
  if (wished) return { dir: wished, override, repairedMode };
  const xdg = ambient.env['XDG_STATE_HOME'];
  if (xdg && isAbsolute(xdg)) return { dir: join(xdg, 'capwrap'), override: null, repairedMode };
  return { dir: join(homeDir(ambient), '.local', 'state', 'capwrap'), override: null, repairedMode };
}

/** The caller's home directory: `HOME`, else the password database's. */
export function homeDir(ambient: Pick<Ambient, 'env'>): string {
  const home = ambient.env['HOME'];
  return home && isAbsolute(home) ? home : homedir();
}
