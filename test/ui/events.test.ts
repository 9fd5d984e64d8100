/** Nothing that reaches the terminal through capwrap's own lines can hide or forge text. */

import { Chalk } from 'chalk';
import { expect, test } from 'vitest';
import { NO_ADMIN_CONFIG } from '../../src/base/admin-config.ts';
import { NO_LAUNCHER } from '../../src/base/launch.ts';
import { openEvents } from '../../src/ui/events.ts';

const HOSTILE = 'a\u202eb\u001b[31mc\u009bd\ne';

test.each([false, true])('a hostile text stays one visible line (json: %s)', (json) => {
  const lines: string[] = [];
  const plain = new Chalk({ level: 0 });
  const events = openEvents(
    {
      ambient: { env: {}, cwd: '/', uid: 0, gid: 0, pid: 1, platform: process.platform, launch: NO_LAUNCHER },
      admin: NO_ADMIN_CONFIG,
      json,
      quiet: false,
      debug: false,
      colors: { stdout: plain, stderr: plain },
      out: async () => undefined,
      err: (line) => lines.push(line),
    },
    null,
    (text) => text,
  );
  events.warn(HOSTILE);
  events.emit('policy.check', { branch: HOSTILE });
  expect(lines).toHaveLength(2);
  for (const line of lines) expect(line).toMatch(/^[\x20-\x7e]+$/);
});
