/** `on_leak: fail`: a secret in the output ends the lease and the command, however well it was masked. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectNowhere } from '../helpers/secrets.ts';
import { isAlive, until } from '../helpers/terminal.ts';
import { type Ground, line, NOT_LINUX, startPiped, useGround, WAYS } from '../matrix/ground.ts';

const capability = (name: string, ...more: readonly string[]) => `  ${name}:
    provider: local-issuer
    audience: test
    scope: ["test:read"]
    inject: {TOKEN: token}
    rules: [{allow: {repo: acme/web-app}}]
${more.map((text) => `    ${text}\n`).join('')}`;

const ground = useGround(`version: 1
capabilities:
${capability('quick', 'on_leak: fail', 'kill_after: 1s')}${capability(
  'patient',
  'on_leak: fail',
  'kill_after: 5m',
)}${capability('plain', 'kill_after: 1s')}`);

/** What a script prints and leaves behind; it writes the token to the file `$0.token`, and its process ids to `$0.pids`. */
async function run(
  { folder, shellEnv, fresh, read, lastRecord }: Ground,
  name: string,
  body: string,
  options: readonly string[] = [],
) {
  const file = fresh('leak');
  const script = `printf %s "$TOKEN" > "$0.token"; echo $$ > "$0.pids"; ${body}`;
  const taskId = file;
  const [program = '', ...words] = WAYS['under capwrap'](['/bin/sh', '-c', script, file]);
  const argv = [program, ...words.map((word) => (word === 'local' ? name : word))];
  const at = argv.indexOf('--');
  const started = startPiped([...argv.slice(0, at), ...options, ...argv.slice(at)], {
    cwd: folder,
    env: { ...shellEnv, CAPWRAP_TASK_ID: taskId },
  });
  return {
    ...started,
    token: () => read(`${file}.token`),
    pids: () => read(`${file}.pids`).split('\n').filter(Boolean).map(Number),
    record: () => lastRecord(taskId),
    file,
  };
}

function expectNoSecret({ stateDir }: Ground, token: string, ...texts: readonly string[]): void {
  expectNowhere([token], { texts, folders: [stateDir] });
}

/** The leases that the embedded issuer has on its list. */
function revoked({ stateDir }: Ground): string[] {
  const text = readFileSync(join(stateDir, 'issuer', 'revoked.json'), 'utf8');
  return (JSON.parse(text) as { revoked: { jti: string }[] }).revoked.map(({ jti }) => jti);
}

interface Row {
  readonly what: string;
  readonly body: string;
  readonly masked: { readonly stdout: number; readonly stderr: number };
  readonly child?: Readonly<Record<string, unknown>>;
}
const WAIT = 'while :; do sleep 0.05; done';
/** Becomes a program that does nothing, and leaves no other one behind. */
const HANG = 'exec sleep 600';
const BY_TERM = { exit_code: null, signal: 'SIGTERM' };

// With these a run that waited for the grace, and not for the processes, would not end within the test.
const ROWS: readonly Row[] = [
  {
    what: 'on stdout',
    body: `echo "$TOKEN ."; ${HANG}`,
    masked: { stdout: 1, stderr: 0 },
    child: BY_TERM,
  },
  {
    what: 'on stderr',
    body: `echo "$TOKEN ." >&2; ${HANG}`,
    masked: { stdout: 0, stderr: 1 },
    child: BY_TERM,
  },
  {
    what: 'on both',
    body: `echo "a $TOKEN b"; echo "a $TOKEN b" >&2; ${HANG}`,
    masked: { stdout: 1, stderr: 1 },
    child: BY_TERM,
  },
  {
    what: 'only as base64',
    body: `printf 'x%s' "$TOKEN" | base64 | tr -d '\\n'; echo ' .'; ${HANG}`,
    masked: { stdout: 1, stderr: 0 },
    child: BY_TERM,
  },
  {
    what: 'in two writes',
    body: `printf %s "$TOKEN" | cut -c1-50 | tr -d '\\n'; sleep 0.1; printf %s "$TOKEN" | cut -c51- | tr '\\n' ' '; echo .; ${HANG}`,
    masked: { stdout: 1, stderr: 0 },
    child: BY_TERM,
  },
  {
    what: 'in the very last bytes',
    body: 'printf %s "$TOKEN"; exit 0',
    masked: { stdout: 1, stderr: 0 },
  },
  {
    what: 'in the very last bytes of a child that fails',
    body: 'printf %s "$TOKEN" | base64 | tr -d "\\n" >&2; exit 7',
    masked: { stdout: 0, stderr: 1 },
  },
  {
    what: 'from a grandchild',
    body: `echo "$TOKEN ." & echo $! >> "$0.pids"; ${HANG}`,
    masked: { stdout: 1, stderr: 0 },
    child: BY_TERM,
  },
  {
    what: 'from a grandchild, when the child is gone',
    body: `(sleep 0.1; echo "$TOKEN ."; ${HANG}) & echo $! >> "$0.pids"; exit 0`,
    masked: { stdout: 1, stderr: 0 },
    child: { exit_code: 0, signal: null },
  },
];

describe('a secret', () => {
  // All at the same time: most of it is waiting.
  let runs: readonly Awaited<ReturnType<typeof finished>>[] = [];
  const finished = async ({ body }: Row) => {
    const started = await run(ground(), 'patient', body);
    return { ...started, end: await started.ended };
  };
  beforeAll(async () => {
    runs = await Promise.all(ROWS.map(finished));
  });

  test.each(ROWS.map((row, index) => ({ ...row, index })))(
    '$what ends the lease, the command and all that it started',
    async ({ index, masked, child }) => {
      const here = ground();
      const started = runs[index];
      if (started === undefined) throw new Error('it was not started');
      const { code } = started.end;
      const said = `masked: ${masked.stdout} on stdout, ${masked.stderr} on stderr`;
      expect(code, started.err()).toBe(125);
      // Not at the beginning of a line where the child has not ended its last one.
      expect(started.err().split('capwrap: error: ')).toHaveLength(2);
      expect(started.err()).toContain(`capwrap: error: the command printed a secret (${said})`);
      const record = started.record();
      expect(started.err()).toContain(`capwrap: hint: capwrap audit show ${record?.['lease_id']}\n`);
      expect(record).toMatchObject({
        event: 'closed',
        outcome: 'revoked_verified',
        end_reason: 'leak',
        masked,
        error: { code: 'ERR_LEAK', message: expect.stringContaining(said) },
        child: child ?? expect.anything(),
      });
      expect(started.pids().filter(isAlive)).toEqual([]);
      expect(`${started.out()}${started.err()}`).toContain('[capwrap:token]');
      expectNoSecret(here, started.token(), started.out(), started.err());
      expect(revoked(here)).toContain(record?.['lease_id']);
    },
  );

  test.skipIf(NOT_LINUX)('ends the lease at once, and what ignores TERM when the grace is over', async () => {
    const here = ground();
    const other = `sh -c 'trap "" TERM; echo $$ >> "$0.pids"; ${WAIT}' "$0" &`;
    const body = `trap "" TERM; ${other} until [ "$(wc -l < "$0.pids")" = 2 ]; do sleep 0.01; done; echo "$TOKEN ."; ${WAIT}`;
    const started = await run(here, 'patient', body);
    await until('the lease has ended', () => {
      return started.record() !== undefined && revoked(here).includes(String(started.record()?.['lease_id']));
    });
    // The child is asked to end and has minutes for it; the credential is worth nothing any more.
    expect(started.record()).toMatchObject({ event: 'issued' });
    expect(started.pids().map(isAlive)).toEqual([true, true]);
    for (const pid of started.pids()) process.kill(pid, 'SIGKILL');
    expect(await started.ended).toMatchObject({ code: 125 });
    expect(started.record()).toMatchObject({
      event: 'closed',
      end_reason: 'leak',
      outcome: 'revoked_verified',
    });
  });

  test('kills what ignores TERM', async () => {
    const here = ground();
    const other = `sh -c 'trap "" TERM; echo $$ >> "$0.pids"; ${WAIT}' "$0" &`;
    const body = `trap "" TERM; ${other} until [ "$(wc -l < "$0.pids")" = 2 ]; do sleep 0.01; done; echo "$TOKEN ."; ${WAIT}`;
    const started = await run(here, 'quick', body);
    expect(await started.ended).toMatchObject({ code: 125 });
    expect(started.record()).toMatchObject({
      end_reason: 'leak',
      child: { exit_code: null, signal: 'SIGKILL' },
    });
    await until('all of them are gone', () => !started.pids().some(isAlive));
    expect(started.pids()).toHaveLength(2);
  });

  test('is an event of its own kind with --json', async () => {
    const here = ground();
    const started = await run(here, 'patient', 'printf %s "$TOKEN"', ['--json']);
    expect(await started.ended).toMatchObject({ code: 125 });
    const events = started
      .err()
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(events.at(-1)).toMatchObject({ event: 'error', code: 'ERR_LEAK' });
  });

  test('that is masked changes nothing by default', async () => {
    const here = ground();
    const started = await run(here, 'plain', 'echo "$TOKEN"; echo "$TOKEN" >&2; exit 6');
    expect(await started.ended).toEqual({ code: 6, signal: null });
    expect([started.out(), started.err()]).toEqual(['[capwrap:token]\n', '[capwrap:token]\n']);
    const record = started.record();
    expect(record).toMatchObject({
      event: 'closed',
      masked: { stdout: 1, stderr: 1 },
      child: { exit_code: 6 },
    });
    expect(record).not.toHaveProperty('end_reason');
    expect(record).not.toHaveProperty('error');
    expectNoSecret(here, started.token(), started.out(), started.err());
  });

  test('that does not come up changes nothing either', async () => {
    const started = await run(ground(), 'quick', 'echo "$TOKEN" | cut -c1-20; exit 6');
    expect(await started.ended).toEqual({ code: 6, signal: null });
    expect(started.record()).toMatchObject({ masked: { stdout: 0, stderr: 0 }, child: { exit_code: 6 } });
    expect(started.err()).toBe('');
  });

  test.skipIf(NOT_LINUX)('is told in the story of the lease', async () => {
    const here = ground();
    const started = await run(here, 'patient', 'printf %s "$TOKEN"');
    await started.ended;
    const { stdout } = await here.cli(['audit', 'show', String(started.record()?.['lease_id'])]);
    expect(stdout).toContain('because a secret was in its output');
    expect(stdout).toContain('secret values masked in stdout: 1');
    expect(stdout).toContain('ERR_LEAK');
  });
});

describe('in the defaults', () => {
  const defaults = useGround(`version: 1
defaults: {on_leak: fail, kill_after: 5m, terminal: direct}
capabilities:
${capability('local')}${capability('lenient', 'on_leak: mask', 'terminal: masked')}`);

  test('it holds for every capability that does not say otherwise', async () => {
    const strict = await run(defaults(), 'local', 'printf %s "$TOKEN"');
    const lenient = await run(defaults(), 'lenient', 'printf %s "$TOKEN"');
    expect([await strict.ended, await lenient.ended]).toEqual([
      { code: 125, signal: null },
      { code: 0, signal: null },
    ]);
  });

  test('it is shown to whoever is asked to trust the map', async () => {
    const { cli, fresh } = defaults();
    const { stdout, stderr } = await cli(['trust'], { env: { CAPWRAP_HOME: fresh('state') } });
    const text = `${stdout}${stderr}`;
    const [local = '', lenient = ''] = text.split(/^lenient$/m);
    expect(local).toMatch(/^ {2}terminal +direct$/m);
    expect(local).toMatch(/^ {2}on leak +fail$/m);
    expect(lenient).toMatch(/^ {2}terminal +masked$/m);
    expect(lenient).toMatch(/^ {2}on leak +mask$/m);
    expect(text).not.toContain('Trusted');
  });
});

test('other words are faults of the map, with the ones that can be said', async () => {
  const { cli, fresh } = ground();
  const map = fresh('map.yaml');
  const text = `version: 1
defaults: {on_leak: ignore, terminal: tty}
capabilities:
${capability('one', 'on_leak: true', 'terminal: ""')}${capability('two', 'on_leak: [fail]', 'terminal: Direct')}`;
  writeFileSync(map, text);
  const { status, stdout, stderr } = await cli(['check', map]);
  expect(status).not.toBe(0);
  const faults = `${stdout}${stderr}`.split('\n').filter((one) => /on_leak|terminal/.test(one));
  const shown = faults.join('\n');
  for (const [key, words] of [
    ['on_leak', /mask.*fail/],
    ['terminal', /masked.*direct/],
  ] as const) {
    const some = faults.filter((fault) => fault.includes(key));
    expect(some, shown).toHaveLength(3);
    for (const fault of some) expect(fault).toMatch(words);
  }
});

test('a line of a shell sees the status', async () => {
  const { folder, shellEnv } = ground();
  const argv = WAYS['under capwrap'](['/bin/sh', '-c', 'printf %s "$TOKEN"; exit 0']);
  const words = argv.map((word) => (word === 'local' ? 'patient' : word));
  const run = startPiped(['/bin/sh', '-c', `${line(words)} 2>/dev/null; echo "status $?"`], {
    cwd: folder,
    env: shellEnv,
  });
  await run.ended;
  expect(run.out()).toBe('[capwrap:token]status 125\n');
});
