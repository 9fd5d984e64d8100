/** The main job, from outside: environment, output, status, signals, records. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BIN } from '../helpers/cli.ts';
import { POISON } from '../helpers/poison.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { awsWorkspace, LOCAL_MAP, localWorkspace } from '../helpers/workspace.ts';

const LINUX = process.platform === 'linux';

describe('event lines', () => {
  test('come in the order and form that scripts rely on', async () => {
    const workspace = await awsWorkspace();
    const script = workspace.script('publish-preview.sh', 'echo done');
    const { stdout, stderr, status } = await workspace.run('preview', [script]);

    expect(status).toBe(0);
    expect(stdout).toBe('done\n');
    const lease = '[0-9a-f]{16}';
    const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z';
    expect(stderr).toMatch(
      new RegExp(
        `^policy\\.check    capability=preview repo=acme/web-app branch=feat/x env=unknown approval=none
policy\\.result   approved=true ttl_seconds=900
broker\\.issue    lease_id=(${lease}) provider=aws-sts scope=s3:PutObject expires_at=(${time})
runner\\.exec     step=publish-preview\\.sh env_scope=subprocess-only
broker\\.revoke   lease_id=\\1 status=expires expires_at=\\2
$`,
      ),
    );
  });

  test('are JSON objects with --json, and none with --quiet', async () => {
    const workspace = await localWorkspace();
    const json = await workspace.cli(['run', '--json', '-c', 'local', '--', '/bin/true']);
    const events = json.stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).event);
    expect(events).toEqual(['policy.check', 'policy.result', 'broker.issue', 'runner.exec', 'broker.revoke']);

    const quiet = await workspace.cli(['run', '--quiet', '-c', 'local', '--', '/bin/true']);
    expect(quiet).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  test('on an events descriptor also tell the end of the child', async () => {
    const workspace = await localWorkspace();
    const script = workspace.script(
      'caller.sh',
      `exec "${BIN}" run --quiet --events-fd 9 -c local -- /bin/sh -c 'exit 9' 9>events.jsonl`,
    );
    const child = spawn(script, {
      cwd: workspace.folder,
      env: { PATH: process.env['PATH'], ...workspace.env },
    });
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(code).toBe(9);
    const events = readFileSync(join(workspace.folder, 'events.jsonl'), 'utf8').trimEnd().split('\n');
    expect(events.map((line) => JSON.parse(line).event)).toEqual([
      'policy.check',
      'policy.result',
      'broker.issue',
      'runner.exec',
      'runner.exit',
      'broker.revoke',
    ]);
    expect(JSON.parse(events[4] ?? '')).toMatchObject({
      exit_code: 9,
      signal: null,
      time_limit_reached: false,
    });
  });
});

describe("the child's environment", () => {
  test.runIf(LINUX)('is exactly what the map and the lease name, whatever the caller has set', async () => {
    const workspace = await awsWorkspace();
    const script = workspace.script('environ.sh', 'exec cat /proc/self/environ');
    const direct = await workspace.run('preview', ['/bin/cat', '/proc/self/environ']);
    const poisoned = await workspace.run('preview', ['/bin/cat', '/proc/self/environ'], { env: POISON });
    expect(poisoned.status, poisoned.stderr).toBe(0);

    const names = (text: string) =>
      text
        .split('\0')
        .filter(Boolean)
        .map((entry) => entry.split('=')[0])
        .sort();
    expect(names(poisoned.stdout)).toEqual(names(direct.stdout));
    expect(names(direct.stdout)).toEqual(
      [
        'AWS_ACCESS_KEY_ID AWS_CONFIG_FILE AWS_CREDENTIAL_EXPIRATION AWS_DEFAULT_REGION AWS_EC2_METADATA_DISABLED',
        'AWS_ENDPOINT_URL AWS_REGION AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SHARED_CREDENTIALS_FILE',
        'AZURE_CONFIG_DIR BOTO_CONFIG CAPWRAP_CAPABILITY CAPWRAP_EXPIRES_AT CAPWRAP_LEASE_ID CAPWRAP_TASK_ID',
        'CLOUDSDK_CONFIG CLOUDSDK_CORE_CHECK_GCE_METADATA GH_CONFIG_DIR GOOGLE_APPLICATION_CREDENTIALS HOME KUBECONFIG',
        'NO_COLOR NO_GCE_CHECK PATH',
      ]
        .join(' ')
        .split(' ')
        .sort(),
    );
    expectNowhere(
      Object.values(POISON).filter((value) => value.includes('poison')),
      {
        texts: [poisoned.stdout, poisoned.stderr],
        folders: [workspace.stateDir],
      },
    );
    expect(script).toBe('./environ.sh');
  });

  test('has a private HOME that is gone afterwards', async () => {
    const workspace = await awsWorkspace();
    const { stdout } = await workspace.run('preview', [
      '/bin/sh',
      '-c',
      'ls -A "$HOME"; touch "$HOME/x"; echo "$HOME"',
    ]);
    const home = stdout.trim();
    expect(home.startsWith(workspace.stateDir)).toBe(true);
    expect(existsSync(home)).toBe(false);
  });
});

describe('output', () => {
  test('never shows the credential, plain or encoded, on either stream', async () => {
    const workspace = await awsWorkspace();
    const body = `printf '%s\\n' "$AWS_SECRET_ACCESS_KEY" "$AWS_SESSION_TOKEN" "$AWS_ACCESS_KEY_ID"
printf %s "$AWS_SESSION_TOKEN" | base64 | tr -d '\\n'
printf %s "x$AWS_SECRET_ACCESS_KEY" | od -An -tx1 | tr -d ' \\n' >&2
printf %s "$AWS_SECRET_ACCESS_KEY" | cut -c1-20 | tr -d '\\n' >&2; sleep 0.05; printf %s "$AWS_SECRET_ACCESS_KEY" | cut -c21- >&2`;
    const result = await workspace.run('preview', [workspace.script('leak.sh', body)]);
    expect(result.status, result.stderr).toBe(0);
    workspace.expectNoLeak(result.stdout, result.stderr);
    expect(result.stdout).toContain('[capwrap:secret_access_key]\n[capwrap:session_token]\n');
    const session = workspace.sandbox.issuedSessions.at(-1);
    expect(result.stdout).toContain(session?.accessKeyId ?? 'no session');
    expect(workspace.records().at(-1)).toMatchObject({ event: 'closed', masked: { stdout: 3, stderr: 2 } });
  });

  test('passes binary data through unchanged', async () => {
    const workspace = await localWorkspace();
    const bytes = Buffer.from(Array.from({ length: 65_536 }, (_, index) => (index * 7919) & 255));
    writeFileSync(join(workspace.folder, 'in.bin'), bytes);
    const script = workspace.script(
      'caller.sh',
      `"${BIN}" run --quiet -c local -- /bin/cat in.bin > out.bin`,
    );
    const child = spawn(script, {
      cwd: workspace.folder,
      env: { PATH: process.env['PATH'], ...workspace.env },
    });
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
    expect(readFileSync(join(workspace.folder, 'out.bin')).equals(bytes)).toBe(true);
  });

  test('standard input reaches the child', async () => {
    const workspace = await localWorkspace();
    const { stdout } = await workspace.run('local', ['/bin/cat'], { input: 'typed\n' });
    expect(stdout).toBe('typed\n');
  });
});

describe('the end', () => {
  // Those that something could mistake are in test/matrix.
  test('its status is passed on', async () => {
    const workspace = await localWorkspace();
    expect((await workspace.run('local', ['/bin/sh', '-c', 'exit 42'])).status).toBe(42);
  });

  test('of a child killed by a signal ends capwrap by the same', async () => {
    const workspace = await localWorkspace();
    const result = await workspace.run('local', ['/bin/sh', '-c', 'kill -TERM $$']);
    expect(result.signal).toBe('SIGTERM');
    expect(workspace.records().at(-1)).toMatchObject({
      event: 'closed',
      outcome: 'revoked_verified',
      child: { exit_code: null, signal: 'SIGTERM' },
    });
  });

  test('of the time limit is 124, also for a child that ignores TERM', async () => {
    const workspace = await localWorkspace();
    const script = workspace.script('stubborn.sh', 'trap "" TERM; echo started; while :; do sleep 1; done');
    const result = await workspace.cli(['run', '-c', 'local', '--ttl', '3s', '--', script]);
    expect(result.status).toBe(124);
    expect(result.stdout).toBe('started\n');
    expect(result.stderr).toContain('the grant of 3s is over');
    expect(workspace.records().at(-1)).toMatchObject({
      event: 'closed',
      time_limit_reached: true,
      child: { signal: 'SIGKILL' },
    });
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s reaches the child once and the lease is ended',
    async (signal) => {
      const workspace = await localWorkspace();
      const name = signal.slice(3);
      const script = workspace.script(
        'trap.sh',
        `trap 'echo got ${name}; exit 5' ${name}; echo ready; while :; do sleep 0.05; done`,
      );
      const child = spawn(BIN, ['run', '--quiet', '-c', 'local', '--', script], {
        cwd: workspace.folder,
        env: { PATH: process.env['PATH'], ...workspace.env },
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      });
      let output = '';
      child.stdout.on('data', (chunk) => {
        if (output === '') child.kill(signal);
        output += chunk;
      });
      const code = await new Promise((resolve) => child.once('close', resolve));
      expect(output).toBe(`ready\ngot ${name}\n`);
      expect(code).toBe(5);
      expect(workspace.records().at(-1)).toMatchObject({ event: 'closed', outcome: 'revoked_verified' });
    },
  );

  test('inside another run is recorded with the outer lease', async () => {
    const workspace = await localWorkspace(
      LOCAL_MAP.replace('    inject', '    env: {pass: [PATH, CAPWRAP_OUTER]}\n    inject').replace(
        ', CAPWRAP_OUTER',
        '',
      ),
    );
    const outer = await workspace.run('local', [
      '/bin/sh',
      '-c',
      `CAPWRAP_HOME="${workspace.stateDir}" HOME="${workspace.folder}" "${BIN}" run --quiet -c local -- /bin/echo inner`,
    ]);
    expect(outer.stdout, outer.stderr).toBe('inner\n');
    const closed = workspace.records().filter((record) => record['event'] === 'closed');
    expect(closed).toHaveLength(2);
    expect(closed[0]?.['parent_lease_id']).toBe(closed[1]?.['lease_id']);
  });
});

test('the records of a run tell its whole story', async () => {
  const workspace = await awsWorkspace();
  const result = await workspace.cli([
    'run',
    '-c',
    'preview',
    '-j',
    'because',
    '--environment',
    'preview',
    '--',
    '/bin/echo',
    'a b',
  ]);
  expect(result.status, result.stderr).toBe(0);
  const [, granted, issued, closed] = workspace.records();
  const session = workspace.sandbox.issuedSessions.at(-1);
  expect(granted).toMatchObject({
    event: 'granted',
    approval: 'none',
    ttl_seconds: 900,
    map_trust: 'pinned_noninteractive',
  });
  expect(issued).toMatchObject({ event: 'issued', access_key_id: session?.accessKeyId });
  expect(closed).toMatchObject({
    event: 'closed',
    task_id: 'task-1',
    actor: 'tester',
    repo: 'acme/web-app',
    branch: 'feat/x',
    environment: 'preview',
    capability: 'preview',
    lease_id: granted?.['lease_id'],
    provider: 'aws-sts',
    scope: ['s3:PutObject'],
    justification: 'because',
    command: ['/bin/echo', 'a b'],
    principal: `arn:aws:sts::123456789012:assumed-role/preview-deployer/agent-${granted?.['lease_id']}`,
    session_name: `agent-${granted?.['lease_id']}`,
    outcome: 'expires',
    child: { exit_code: 0, signal: null },
  });
  expect((await workspace.cli(['audit', 'verify'])).status).toBe(0);
  workspace.expectNoLeak();
});
