/** A run inside a run: each is judged on its own, and the records tell which one was within which. */
import { describe, expect, test } from 'vitest';
import { BIN } from '../helpers/cli.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { line, startPiped, useGround } from '../matrix/ground.ts';

const capability = (name: string, variable: string, more = '') => `  ${name}:
    provider: local-issuer
    audience: test
    scope: ["test:${name}"]
    inject: {${variable}: token}
    kill_after: 1s
${more}`;
const ALLOWED = '    rules: [{allow: {repo: acme/web-app}}]\n';
const ground = useGround(`version: 1
capabilities:
${capability('outer', 'OUTER_TOKEN', ALLOWED)}${capability('inner', 'INNER_TOKEN', ALLOWED)}${capability(
  'production',
  'PRODUCTION_TOKEN',
  '    rules: [{allow: {repo: acme/web-app, environment: production}}]\n',
)}${capability('strict', 'STRICT_TOKEN', `    on_leak: fail\n${ALLOWED}`)}`);

type Record_ = Readonly<Record<string, unknown>>;

/** A script under the capability `outer`. RUN in it is `capwrap run -c` with the workspace's own state. */
async function outer(body: string, name = 'outer') {
  const { folder, shellEnv, fresh, read, records, stateDir } = ground();
  const taskId = fresh('nested');
  const keep = fresh('keep');
  const again = `env HOME=${folder} CAPWRAP_HOME=${stateDir} CAPWRAP_TASK_ID=${taskId} CAPWRAP_ACTOR=tester ${BIN} run --quiet -c`;
  const script = body.replaceAll('RUN', () => again).replaceAll('KEEP', () => keep);
  const before = records().length;
  const run = startPiped([BIN, 'run', '--quiet', '-c', name, '--', '/bin/sh', '-c', script], {
    cwd: folder,
    env: { ...shellEnv, CAPWRAP_TASK_ID: taskId },
  });
  const { code, signal } = await run.ended;
  const added: readonly Record_[] = records().slice(before);
  const of = (capability: string) => added.filter((record) => record['capability'] === capability);
  return {
    code,
    signal,
    out: run.out(),
    err: run.err(),
    added,
    of,
    lease: (capability: string) => String(of(capability)[0]?.['lease_id']),
    /** The tokens that scripts have put away. */
    kept: () => read(keep).split('\n').filter(Boolean),
  };
}

const events = (records: readonly Record_[]) => records.map(({ event }) => event);

describe('a run inside a run', () => {
  test('is allowed, and recorded as within the other one', async () => {
    const { code, out, err, added, of, lease } = await outer(
      'RUN inner -- /bin/echo inside; echo outside; exit 3',
    );
    expect({ code, out, err }).toEqual({ code: 3, out: 'inside\noutside\n', err: '' });
    expect(events(of('inner'))).toEqual(['granted', 'issued', 'closed']);
    for (const record of of('inner')) expect(record['parent_lease_id']).toBe(lease('outer'));
    for (const record of of('outer')) expect(record).not.toHaveProperty('parent_lease_id');
    // The inner one is over before the outer one, and both are really over.
    expect(added.map(({ event, capability }) => `${capability} ${event}`)).toEqual([
      ...['outer granted', 'outer issued'],
      ...['inner granted', 'inner issued', 'inner closed'],
      'outer closed',
    ]);
    for (const name of ['inner', 'outer'])
      expect(of(name).at(-1)).toMatchObject({ event: 'closed', outcome: 'revoked_verified' });
    expect(of('outer').at(-1)).toMatchObject({ child: { exit_code: 3 } });
    expect(lease('inner')).not.toBe(lease('outer'));
  });

  test('is denied by its own rule while the other one goes on', async () => {
    const { code, out, err, of, lease } = await outer('RUN production -- /bin/echo inside; echo "status $?"');
    expect({ code, out }).toEqual({ code: 0, out: 'status 122\n' });
    expect(err).toContain('capwrap: error: ');
    expect(of('production')).toEqual([
      expect.objectContaining({
        event: 'denied',
        reason: 'no_rule_matched',
        outcome: 'not_issued',
        parent_lease_id: lease('outer'),
      }),
    ]);
    expect(of('outer').at(-1)).toMatchObject({ event: 'closed', child: { exit_code: 0 } });
  });

  test('is masked by itself, and its child has nothing of the outer lease', async () => {
    const { stateDir } = ground();
    const { code, out, err, kept, of } = await outer(
      `echo "$OUTER_TOKEN" >> KEEP; echo "$OUTER_TOKEN"; RUN inner -- /bin/sh -c '
        echo "$INNER_TOKEN" >> KEEP; echo "$INNER_TOKEN"; env | sed "s/=.*//" | sort'`,
    );
    expect([code, err]).toEqual([0, '']);
    const [first, second, ...names] = out.trimEnd().split('\n');
    expect([first, second]).toEqual(['[capwrap:token]', '[capwrap:token]']);
    expect(names).toContain('INNER_TOKEN');
    expect(names).not.toContain('OUTER_TOKEN');
    expect(names.filter((name) => name.startsWith('CAPWRAP_'))).toEqual([
      ...['CAPWRAP_CAPABILITY', 'CAPWRAP_EXPIRES_AT', 'CAPWRAP_LEASE_ID', 'CAPWRAP_TASK_ID'],
    ]);
    expect(kept()).toHaveLength(2);
    expect(new Set(kept()).size).toBe(2);
    expectNowhere(kept(), { texts: [out, err], folders: [stateDir] });
    // Masked where it was printed: the outer run has seen the inner one's only masked.
    expect(of('inner').at(-1)).toMatchObject({ masked: { stdout: 1, stderr: 0 } });
    expect(of('outer').at(-1)).toMatchObject({ masked: { stdout: 1, stderr: 0 } });
  });

  test('that is handed the outer secret as a word masks it in its records and its output', async () => {
    const { stateDir } = ground();
    const { out, err, kept, of } = await outer(
      'echo "$OUTER_TOKEN" >> KEEP; RUN inner -- /bin/echo "$OUTER_TOKEN"; RUN inner -- ./no-such "$OUTER_TOKEN"',
    );
    expect(out).toBe('[capwrap:token]\n');
    expectNowhere(kept(), { texts: [out, err], folders: [stateDir] });
    expect(JSON.stringify(of('inner'))).toContain('[capwrap:');
  });

  test('that prints its secret ends by its own rule; the outer one goes on', async () => {
    const { code, out, of } = await outer(
      'RUN strict -- /bin/sh -c \'echo "$STRICT_TOKEN ."; exec sleep 600\'; echo "status $?"',
    );
    expect({ code, out }).toEqual({ code: 0, out: '[capwrap:token] .\nstatus 125\n' });
    expect(of('strict').at(-1)).toMatchObject({
      event: 'closed',
      end_reason: 'leak',
      outcome: 'revoked_verified',
    });
    expect(of('outer').at(-1)).not.toHaveProperty('end_reason');
  });

  test('of a run that ends because of a leak ends with it, and its lease too', async () => {
    const { code, of, lease } = await outer('echo "$STRICT_TOKEN ."; RUN inner -- /bin/sleep 600', 'strict');
    expect(code).toBe(125);
    expect(of('strict').at(-1)).toMatchObject({ end_reason: 'leak', outcome: 'revoked_verified' });
    // It may not have got as far as a lease; if it has, that one has an end.
    const inner = of('inner');
    if (inner.some(({ event }) => event === 'granted')) {
      expect(inner.at(-1)).toMatchObject({ event: 'closed', parent_lease_id: lease('strict') });
    }
  });

  test('three deep names each one’s own parent', async () => {
    const third = `RUN inner -- /bin/echo third`;
    const second = `RUN production --environment production -- /bin/sh -c ${line([third])}`;
    const { code, out, of, lease } = await outer(second);
    expect({ code, out }).toEqual({ code: 0, out: 'third\n' });
    expect(of('production').at(-1)?.['parent_lease_id']).toBe(lease('outer'));
    expect(of('inner').at(-1)?.['parent_lease_id']).toBe(lease('production'));
  });
});

test('a variable that holds no lease id names no parent', async () => {
  const { cli, records } = ground();
  const values = ['x', '../../etc/passwd', '0123456789ABCDEF', '0123456789abcdef\nx'];
  const runs = values.map((value, index) =>
    cli(['run', '--quiet', '-c', 'inner', '--', '/bin/true'], {
      env: { CAPWRAP_LEASE_ID: value, CAPWRAP_TASK_ID: `no parent ${index}` },
    }),
  );
  for (const { status } of await Promise.all(runs)) expect(status).toBe(0);
  const closed = records().filter(
    ({ event, task_id }) => event === 'closed' && /^no parent/.test(String(task_id)),
  );
  expect(closed).toHaveLength(values.length);
  for (const record of closed) expect(record).not.toHaveProperty('parent_lease_id');
});
