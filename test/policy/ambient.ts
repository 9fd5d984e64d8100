/** A caller's world for tests that call the rooms themselves. */

import type { Ambient } from '../../src/base/ambient.ts';
import { NO_LAUNCHER } from '../../src/base/launch.ts';

export function ambientOf(parts: Partial<Ambient> & { readonly cwd: string }): Ambient {
  return {
    env: {},
    uid: process.getuid?.() ?? -1,
    gid: process.getgid?.() ?? -1,
    pid: process.pid,
    platform: process.platform,
    launch: NO_LAUNCHER,
    ...parts,
  };
}
