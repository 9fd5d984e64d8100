/** The end of the grant's time, by a wall clock that is moved as a suspend moves it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { ROOT } from '../helpers/cli.ts';
import { isAlive, until } from '../helpers/terminal.ts';
import { startPiped, useGround } from '../matrix/ground.ts';

const capability = (name: string, more = '') => `  ${name}:
    provider: local-issuer
    audience: test
    scope: ["test:read"]
    inject: {TOKEN: token}
    rules: [{allow: {repo: acme/web-app}}]
${more}`;
const ground = useGround(`version: 1
capabilities:
${capability('long', '    kill_after: 5m\n')}${capability('short', '    kill_after: 1s\n')}`);

/** A run whose clock can be set ahead. The child writes its process id into a file, and prints that it is ready. */
async function start(capability: string, options: readonly string[], body: string) {
  const { folder, shellEnv, fresh, read, lastRecord } = ground();
  const [clock, preload, pid] = [fresh('clock'), fresh('preload.cjs'), fresh('pid')];
  // What a suspend does: the wall clock jumps, and timers know nothing of it.
  writeFileSync(
    preload,
    `const { readFileSync } = require('node:fs');
    const now = Date.now;
    Date.now = () => {
      try { return now() + Number(readFileSync(${JSON.stringify(clock)}, 'latin1')) * 1000; } catch { return now(); }
    };`,
  );
  const own = ['run', ...options, '-c', capability, '--', '/bin/sh', '-c', body, pid];
  const run = startPiped([process.execPath, '--require', preload, join(ROOT, 'dist', 'start.js'), ...own], {
    cwd: folder,
    env: { ...shellEnv, CAPWRAP_TASK_ID: pid },
  });
  return {
    ...run,
    setAhead: (seconds: number) => writeFileSync(clock, String(seconds)),
    // What the child prints comes through once capwrap looks at the clock.
    ready: () => until('the child is ready', () => run.out() === 'ready\n', run.err),
    child: () => Number(read(pid)),
    record: () => lastRecord(pid),
  };
}
const OBEYS = 'echo $$ > "$0"; echo ready; exec sleep 600';
const STUBBORN = 'trap "" TERM; echo $$ > "$0"; echo ready; while :; do sleep 0.05; done';
const MINUTE = 60;

/** They wait for clocks more than for anything else, so all of them run at the same time. */
const CHECKS: readonly (readonly [what: string, check: () => Promise<void>])[] = [
  [
    'a grant is warned of a minute ahead, and ended when the machine wakes up too late',
    async () => {
      const run = await start('long', [], OBEYS);
      await run.ready();
      expect(run.err()).not.toContain('warning');
      run.setAhead(14.5 * MINUTE);
      await until('the warning is there', () => run.err().includes('warning'), run.err);
      expect(run.err()).toMatch(
        /^capwrap: warning: the grant ends in (?:30|29|28)s, at \d{4}-\S+Z; the command will be ended then$/m,
      );
      expect(isAlive(run.child())).toBe(true);
      run.setAhead(60 * MINUTE);
      expect(await run.ended).toEqual({ code: 124, signal: null });
      expect(run.err().match(/warning/g)).toHaveLength(1);
      expect(run.err()).toContain('capwrap: error: the grant of 15m is over');
      expect(run.record()).toMatchObject({
        event: 'closed',
        outcome: 'revoked_verified',
        time_limit_reached: true,
        end_reason: 'time_limit',
        child: { exit_code: null, signal: 'SIGTERM' },
      });
      expect(isAlive(run.child())).toBe(false);
    },
  ],

  [
    'a grant is warned of in JSON as well, also where the other lines are left out',
    async () => {
      const warned = async (option: string) => {
        const run = await start('long', [option], OBEYS);
        await run.ready();
        run.setAhead(14.5 * MINUTE);
        await until('the warning is there', () => run.err().includes('warning'), run.err);
        run.setAhead(16 * MINUTE);
        expect(await run.ended).toEqual({ code: 124, signal: null });
        return run;
      };
      const [json, quiet] = await Promise.all([warned('--json'), warned('--quiet')]);
      const events = json
        .err()
        .trimEnd()
        .split('\n')
        .map((text) => JSON.parse(text) as Record<string, unknown>);
      expect(events.filter(({ event }) => event === 'warning')).toEqual([
        { event: 'warning', message: expect.stringContaining('the grant ends in') },
      ]);
      expect(events.at(-1)).toMatchObject({ event: 'error', code: 'ERR_TIME_LIMIT' });
      expect(quiet.err().split('\n')[0]).toMatch(/^capwrap: warning: the grant ends in /);
    },
  ],

  [
    'a grant may be used up to its end by a child that goes by itself then',
    async () => {
      const run = await start(
        'long',
        ['--quiet'],
        'trap "exit 3" TERM; echo $$ > "$0"; echo ready; while :; do sleep 0.05; done',
      );
      await run.ready();
      run.setAhead(16 * MINUTE);
      expect(await run.ended).toEqual({ code: 124, signal: null });
      expect(run.record()).toMatchObject({ end_reason: 'time_limit', child: { exit_code: 3, signal: null } });
    },
  ],
  [
    '--kill-after shortens what the map says, and does not lengthen it',
    async () => {
      // Where a grace of five minutes was waited for, the test would not come to its end.
      const rows = [
        ['long', '1s'],
        ['short', '5m'],
      ] as const;
      const ends = rows.map(async ([name, grace]) => {
        const run = await start(name, ['--quiet', '--kill-after', grace], STUBBORN);
        await run.ready();
        run.setAhead(16 * MINUTE);
        expect(await run.ended, run.err()).toEqual({ code: 124, signal: null });
        await until('the child is gone', () => !isAlive(run.child()));
        return run.record();
      });
      for (const record of await Promise.all(ends)) {
        expect(record).toMatchObject({
          time_limit_reached: true,
          end_reason: 'time_limit',
          child: { exit_code: null, signal: 'SIGKILL' },
        });
      }
    },
  ],
];

let running: readonly Promise<void>[] = [];

beforeAll(() => {
  running = CHECKS.map(([, check]) => check());
  // Whoever fails is told of by its own test.
  for (const one of running) one.catch(() => undefined);
});

test.each(CHECKS.map(([what], index) => ({ what, index })))('$what', async ({ index }) => {
  await running[index];
});

test('--kill-after that is no duration is a usage error, before anything is issued', async () => {
  const { cli, records } = ground();
  const before = records().length;
  const { status, stderr } = await cli(['run', '-c', 'long', '--kill-after', 'soon', '--', '/bin/true']);
  expect(status).toBe(120);
  expect(stderr).toContain('"--kill-after');
  expect(records()).toHaveLength(before);
});

test('a short grant ends without a warning: nobody could do anything about it', async () => {
  const { cli, records } = ground();
  const { status, stdout, stderr } = await cli([
    ...['run', '-c', 'long', '--ttl', '3s', '--', '/bin/sh', '-c', 'echo started; exec sleep 600'],
  ]);
  expect({ status, stdout }).toEqual({ status: 124, stdout: 'started\n' });
  expect(stderr).not.toContain('warning');
  expect(stderr).toContain('the grant of 3s is over');
  expect(records().at(-1)).toMatchObject({ time_limit_reached: true, end_reason: 'time_limit' });
});

test('a child that ends in time has no end reason in its record', async () => {
  const { cli, records } = ground();
  const { status } = await cli([
    'run',
    '--quiet',
    '-c',
    'long',
    '--ttl',
    '1m',
    '--',
    '/bin/sh',
    '-c',
    'exit 9',
  ]);
  expect(status).toBe(9);
  const record = records().at(-1);
  expect(record).toMatchObject({ event: 'closed', child: { exit_code: 9 } });
  expect(record).not.toHaveProperty('time_limit_reached');
  expect(record).not.toHaveProperty('end_reason');
});
