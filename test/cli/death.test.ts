/** capwrap is killed, and can do nothing about it any more. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { diesWithCapwrap } from '../../src/runner/exec-chain.ts';
import { isAlive, until } from '../helpers/terminal.ts';
import { LOCAL_MAP } from '../helpers/workspace.ts';
import { startPiped, useGround, WAYS } from '../matrix/ground.ts';

const ground = useGround(`${LOCAL_MAP}    home: private\n`);
const CANNOT = !diesWithCapwrap();

/** A run whose child is there; `pids`: of the child, and of capwrap. */
async function start(body: string) {
  const { folder, shellEnv, fresh, read, lastRecord } = ground();
  const file = fresh('pids');
  const script = `echo "$$ $PPID $HOME" > "$0.tmp"; mv "$0.tmp" "$0"; ${body}`;
  const run = startPiped(WAYS['under capwrap'](['/bin/sh', '-c', script, file]), {
    cwd: folder,
    env: { ...shellEnv, CAPWRAP_TASK_ID: file },
  });
  await until('the child is there', () => read(file) !== '', run.err);
  const [child, capwrap, home = ''] = read(file).trim().split(' ');
  return { ...run, child: Number(child), capwrap: Number(capwrap), home, record: () => lastRecord(file) };
}

describe.skipIf(CANNOT)(
  `capwrap killed by KILL${CANNOT ? ' (skipped: needs setpriv of util-linux)' : ''}`,
  () => {
    test.each([
      ['a child that would obey', 'exec sleep 600'],
      [
        'a child that ignores everything that it can',
        'trap "" TERM INT HUP QUIT PIPE; while :; do read -r x < /dev/null; done',
      ],
      ['a child that is stopped', 'kill -STOP $$; exec sleep 600'],
    ])('takes %s along', async (_, body) => {
      const { capwrap, child, ended, pid } = await start(body);
      expect(capwrap).toBe(pid);
      process.kill(capwrap, 'SIGKILL');
      expect(await ended).toEqual({ code: null, signal: 'SIGKILL' });
      await until('the child is gone', () => !isAlive(child));
    });

    test('leaves a lease that is shown as unfinished, and the next run removes what it left behind', async () => {
      const { cli, stateDir, run } = ground();
      const { capwrap, child, ended, home, record } = await start('exec sleep 600');
      const lease = String(record()?.['lease_id']);
      process.kill(capwrap, 'SIGKILL');
      await ended;
      await until('the child is gone', () => !isAlive(child));
      expect(record()).toMatchObject({ event: 'issued' });
      expect(readdirSync(join(stateDir, 'runs'))).toContain(lease);
      expect(existsSync(home)).toBe(true);

      const list = await cli(['audit', 'list', '--json']);
      const rows = list.stdout
        .trimEnd()
        .split('\n')
        .map((text) => JSON.parse(text) as Record<string, unknown>);
      expect(rows.find((row) => row['lease_id'] === lease)).toMatchObject({
        status: 'unfinished',
        ended: null,
      });
      const show = await cli(['audit', 'show', lease]);
      expect(show.stdout).toContain('unfinished');
      expect((await cli(['audit', 'list'])).stdout).toMatch(
        new RegExp(`unfinished.*${lease}|${lease}.*unfinished`),
      );

      expect((await run('local', ['/bin/true'])).status).toBe(0);
      expect(readdirSync(join(stateDir, 'runs'))).toEqual([]);
      expect((await cli(['audit', 'verify'])).status).toBe(0);
    });

    test('leaves alone what a run that is still there uses', async () => {
      const { run, stateDir } = ground();
      const dead = await start('exec sleep 600');
      const live = await start('until [ -e "$0.end" ]; do sleep 0.02; done; ls -A "$HOME"');
      process.kill(dead.capwrap, 'SIGKILL');
      await dead.ended;
      expect((await run('local', ['/bin/sh', '-c', ':'])).status).toBe(0);
      expect(readdirSync(join(stateDir, 'runs'))).toEqual([String(live.record()?.['lease_id'])]);
      expect(existsSync(live.home)).toBe(true);
      process.kill(live.pid, 'SIGTERM');
      await live.ended;
      expect(readdirSync(join(stateDir, 'runs'))).toEqual([]);
    });
  },
);
