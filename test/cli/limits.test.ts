/** Limits of a rule in real runs, at once and one after another. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { afterTest } from '../helpers/after-test.ts';
import type { CliResult } from '../helpers/cli.ts';
import { createWorkspace, localWorkspace, type Workspace } from '../helpers/workspace.ts';

const capability = (name: string, rules: string) => `  ${name}:
    provider: local-issuer
    audience: test
    scope: ["test:read"]
    inject: {TOKEN: token}
    rules: [${rules}]
`;
const mapOf = (limits: string, more = '') => `version: 1
capabilities:
${capability('limited', `{allow: {repo: acme/web-app}, limits: ${limits}}, {allow: {}}`)}${more}`;

const TRUE = ['/bin/true'];
const RULE = 'capabilities.limited.rules[0]';

type Record_ = Readonly<Record<string, unknown>>;
const of = (workspace: Workspace, event: string): readonly Record_[] =>
  workspace.records().filter((record) => record['event'] === event);

/** The most leases that were open at the same time, by the log. */
function mostAtOnce(records: readonly Record_[]): number {
  let open = 0;
  return records.reduce((most, { event }) => {
    if (event === 'granted') open++;
    if (event === 'closed') open--;
    return Math.max(most, open);
  }, 0);
}

/** A FIFO whose readers wait until `release` writes a byte for each. */
function gateIn(folder: string) {
  const path = join(folder, 'gate');
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, constants.O_RDWR);
  afterTest(() => closeSync(fd));
  return { path, release: (readers: number) => writeSync(fd, 'x'.repeat(readers)) };
}

function expectDenied(result: CliResult, why: string, reason = 'limit_reached') {
  expect(result.status, result.stderr).toBe(122);
  expect(result.stdout).toBe('');
  expect(result.stderr).toContain(`capwrap: error: "limited" is denied: ${RULE} ${why} [${reason}]`);
  const told = result.stderr.split('\n').filter((line) => line.startsWith('policy.result'));
  expect(told).toEqual([`policy.result   approved=false reason=${reason} rule=${RULE}`]);
}

describe('open: 2', () => {
  test('ten runs at once: two get a lease, eight are denied, and nothing is issued to them', async () => {
    const workspace = await localWorkspace(mapOf('{open: 2}'));
    const gate = gateIn(workspace.folder);
    const wait = ['/bin/sh', '-c', `dd if=${gate.path} bs=1 count=1 2>/dev/null; echo done`];
    const denied: CliResult[] = [];
    const runs = Array.from({ length: 10 }, () => workspace.run('limited', wait));
    await new Promise<void>((resolve, reject) => {
      for (const run of runs) {
        run.then((result) => {
          if (denied.push(result) === 8) resolve();
        }, reject);
      }
    });
    for (const result of denied) expectDenied(result, 'has 2 open leases (open: 2)');
    expect(of(workspace, 'granted')).toHaveLength(2);
    expect(of(workspace, 'closed')).toHaveLength(0);
    expect(of(workspace, 'denied').map(({ reason, rule, outcome }) => [reason, rule, outcome])).toEqual(
      Array(8).fill(['limit_reached', RULE, 'not_issued']),
    );

    const figures = { limit: 'open', most: 2, used: 2, reached: true };
    const explained = JSON.parse((await workspace.here(['explain', 'limited', '--json'])).stdout);
    expect(explained.decision).toMatchObject({ effect: 'deny', reason: 'limit_reached', rule: RULE });
    expect(explained.decision.rules[0].limits).toEqual([figures]);
    const listed = JSON.parse((await workspace.here(['list', '--json'])).stdout);
    expect(listed.capabilities[0]).toMatchObject({
      granted: 'no',
      reason: 'limit_reached',
      limits: [{ rule: RULE, ...figures }],
    });
    expect((await workspace.here(['list'])).stdout).toContain('  limits of rules[0]: open 2 of 2\n');

    gate.release(2);
    const ends = await Promise.all(runs);
    expect(ends.filter(({ status, stdout }) => status === 0 && stdout.endsWith('done\n'))).toHaveLength(2);
    expect(mostAtOnce(workspace.records())).toBe(2);
    expect(await workspace.run('limited', TRUE)).toMatchObject({ status: 0 });
    expect((await workspace.here(['audit', 'verify'])).status).toBe(0);
  });

  test('runs that come and go are never three', async () => {
    const workspace = await localWorkspace(mapOf('{open: 2}'));
    const lane = async () => {
      const statuses: (number | undefined)[] = [];
      for (let turn = 0; turn < 2; turn++) statuses.push((await workspace.run('limited', TRUE)).status);
      return statuses;
    };
    const statuses = (await Promise.all([lane(), lane(), lane(), lane(), lane()])).flat();
    expect(statuses.every((status) => status === 0 || status === 122)).toBe(true);
    expect(of(workspace, 'granted')).toHaveLength(statuses.filter((status) => status === 0).length);
    expect(mostAtOnce(workspace.records())).toBeLessThanOrEqual(2);
    expect(statuses).toContain(0);
  });
});

describe('per_hour', () => {
  test('counts runs, whatever became of the command', async () => {
    const workspace = await localWorkspace(mapOf('{per_hour: 2}'));
    expect((await workspace.run('limited', ['/bin/false'])).status).toBe(1);
    expect((await workspace.run('limited', TRUE)).status).toBe(0);
    expectDenied(await workspace.run('limited', TRUE), 'was used 2 times in the last hour (per_hour: 2)');
    expect((await workspace.cli(['run', '--dry-run', '-c', 'limited', '--', '/bin/true'])).status).toBe(122);
    expect(of(workspace, 'issued')).toHaveLength(2);
  });

  test('of one is for one of many at once', async () => {
    const workspace = await localWorkspace(mapOf('{per_hour: 1}'));
    const ends = await Promise.all(Array.from({ length: 6 }, () => workspace.run('limited', TRUE)));
    expect(ends.map(({ status }) => status).sort()).toEqual([0, 122, 122, 122, 122, 122]);
    expect(of(workspace, 'issued')).toHaveLength(1);
  });

  test('does not count a run to which nothing was issued', async () => {
    const workspace = await createWorkspace(mapOf('{per_hour: 1}'));
    expect((await workspace.run('limited', TRUE)).status).toBe(123);
    expect(of(workspace, 'closed')).toMatchObject([{ outcome: 'not_issued' }]);
    expect((await workspace.here(['issuer', 'init'])).status).toBe(0);
    expect((await workspace.run('limited', TRUE)).status).toBe(0);
    expect((await workspace.run('limited', TRUE)).status).toBe(122);
  });

  test("is not fooled by a variable that has the capability's name masked in the record", async () => {
    const map = mapOf('{per_hour: 1}').replaceAll('limited', 'limited-by-name');
    const workspace = await localWorkspace(map);
    const env = { MY_TOKEN: 'limited-by-name' };
    expect((await workspace.run('limited-by-name', TRUE, { env })).status).toBe(0);
    expect(of(workspace, 'granted')[0]?.['capability']).toBe('[capwrap:MY_TOKEN]');
    expect((await workspace.run('limited-by-name', TRUE)).status).toBe(122);
  });
});

test('per_task counts for each task by itself', async () => {
  const workspace = await localWorkspace(mapOf('{per_task: 1}'));
  const env = { CAPWRAP_TASK_ID: 'task-2', BUILD_TOKEN: 'task-2-and-more' };
  expect((await workspace.run('limited', TRUE)).status).toBe(0);
  expectDenied(await workspace.run('limited', TRUE), 'was used once for this task (per_task: 1)');
  expect((await workspace.run('limited', TRUE, { env })).status).toBe(0);
  expect((await workspace.run('limited', TRUE, { env })).status).toBe(122);
});

test('a log that is damaged denies what is limited, and nothing else', async () => {
  const free = capability('free', '{allow: {}}');
  const workspace = await localWorkspace(mapOf('{per_hour: 9}', free));
  expect((await workspace.run('limited', TRUE)).status).toBe(0);
  expect((await workspace.run('free', TRUE)).status).toBe(0);
  const log = join(workspace.stateDir, 'audit.jsonl');
  writeFileSync(log, readFileSync(log, 'utf8').replace('"event":"granted"', '"event":"granted'));
  const why = "has limits, and how often it was used can't be told: the audit log can't be read";
  expectDenied(await workspace.run('limited', TRUE), why, 'limit_unknown');
  expect((await workspace.run('free', TRUE)).status).toBe(0);
  expect((await workspace.here(['explain', 'limited'])).stdout).toContain('per_hour unknown of 9');
});

test('list names the commands of a rule only while its limits leave room', async () => {
  const rules =
    '{allow: {command: /bin/true}, limits: {per_hour: 1}}, {allow: {command: /bin/false}, limits: {open: 1}}';
  const workspace = await localWorkspace(`version: 1\ncapabilities:\n${capability('limited', rules)}`);
  const listed = async () => JSON.parse((await workspace.here(['list', '--json'])).stdout).capabilities[0];
  expect(await listed()).toMatchObject({ granted: 'for_commands', commands: ['/bin/true', '/bin/false'] });
  expect((await workspace.run('limited', TRUE)).status).toBe(0);
  expect(await listed()).toMatchObject({ granted: 'for_commands', commands: ['/bin/false'] });
  await workspace.setMap(
    `version: 1\ncapabilities:\n${capability('limited', rules.split(', {allow')[0] ?? '')}`,
  );
  expect(await listed()).toMatchObject({
    granted: 'no',
    reason: 'limit_reached',
    why: `"limited" is denied: ${RULE} was used once in the last hour (per_hour: 1)`,
  });
});
