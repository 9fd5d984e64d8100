/** Signed approvals out of band, with the built CLI: asked, answered, used, and every way in which they don't count. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { BIN, tempDir } from '../helpers/cli.ts';
import { LOCAL_MAP, localWorkspace, type Workspace } from '../helpers/workspace.ts';
import { makeEd25519Key, makeSkKey, signSk, TOUCHED, VERIFIED } from '../sshsig/build-sk.ts';

const NAMESPACE = 'capwrap-approval';

/** A map whose one rule asks `approval` of the approvers given by name and public key. */
function signedMap(approval: string, approvers: Readonly<Record<string, string>>): string {
  const people = Object.entries(approvers).map(([name, key]) => `  ${name}: {keys: ["${key}"]}\n`);
  return LOCAL_MAP.replace('version: 1\n', `version: 1\napprovers:\n${people.join('')}`).replace(
    'rules: [{allow: {repo: acme/web-app}}]',
    `rules: [{allow: {repo: acme/web-app}, approval: ${approval}}]`,
  );
}

async function ask(workspace: Workspace, args: readonly string[] = []): Promise<string> {
  const asked = await workspace.cli(['run', '--no-wait', '-c', 'local', ...args, '--', './deploy.sh', 'now']);
  expect(asked.status, asked.stderr).toBe(122);
  expect(asked.stderr).toContain('is asked for as');
  return /approval\.request id=([0-9a-f]{12})/.exec(asked.stderr)?.[1] ?? '';
}

interface Signer {
  sign(message: Uint8Array, namespace: string): string;
}

/**
 * Signs what `capwrap approve --statement` prints, as ssh-keygen would, and hands both back to `capwrap approve`: in the
 * test's own process, or in those that a person starts.
 */
async function approve(
  workspace: Workspace,
  id: string,
  signer: Signer,
  options: {
    readonly args?: readonly string[];
    readonly namespace?: string;
    readonly alter?: (text: string) => string;
    readonly way?: 'cli' | 'here';
  } = {},
) {
  const { args = [], namespace = NAMESPACE, alter = (text) => text, way = 'here' } = options;
  const printed = await workspace[way](['approve', id, '--statement', ...args]);
  expect(printed.status, printed.stderr).toBe(0);
  const file = join(tempDir(), 'statement.json');
  writeFileSync(`${file}.sig`, signer.sign(Buffer.from(printed.stdout), namespace));
  writeFileSync(file, alter(printed.stdout));
  return workspace[way](['approve', id, '--signed', file]);
}

const touchless = (key: ReturnType<typeof makeSkKey>): Signer => ({
  sign: (message, namespace) => signSk(key, { message, namespace, flags: 0 }),
});
const touched = (key: ReturnType<typeof makeSkKey>, flags = TOUCHED): Signer => ({
  sign: (message, namespace) => signSk(key, { message, namespace, flags }),
});

async function workspaceWith(
  approval: string,
  approvers: Readonly<Record<string, string>>,
): Promise<Workspace> {
  const workspace = await localWorkspace(signedMap(approval, approvers));
  workspace.script('deploy.sh', 'echo "deployed $1"');
  return workspace;
}

test('asked, signed, used once, and not a second time', async () => {
  const alice = makeEd25519Key();
  const workspace = await workspaceWith('signed', { alice: alice.publicLine });
  const id = await ask(workspace, ['-j', 'release']);
  const early = await workspace.cli(['run', '--no-wait', '--approval', id]);
  expect(early.status).toBe(122);
  expect(early.stderr).toContain(`is asked for as ${id}`);

  const approved = await approve(workspace, id, alice, { way: 'cli' });
  expect(approved.status, approved.stderr).toBe(0);
  expect(approved.stdout).toContain(`approved ${id} as alice (ssh_key); permits one run until `);

  const used = await workspace.cli(['run', '--approval', id]);
  expect(used.status, used.stderr).toBe(0);
  expect(used.stdout).toBe('deployed now\n');
  expect(workspace.records().at(-1)).toMatchObject({
    event: 'closed',
    approval: 'granted',
    approval_grade: 'ssh_key',
    approval_id: id,
    approver: 'alice',
    justification: 'release',
  });
  const again = await workspace.cli(['run', '--approval', id]);
  expect(again.status).toBe(122);
  expect(again.stderr).toContain('was used already, once, as often as it permits');
  expect(workspace.records().at(-1)).toMatchObject({ event: 'denied', reason: 'approval_used_up' });
});

test('a run that waits goes on when somebody signs, and ends when somebody denies', async () => {
  const alice = makeEd25519Key();
  const workspace = await workspaceWith('signed', { alice: alice.publicLine });
  const waiting = () =>
    execa(BIN, ['run', '-c', 'local', '--', './deploy.sh', 'now'], {
      cwd: workspace.folder,
      env: { PATH: process.env['PATH'], ...workspace.env },
      extendEnv: false,
      reject: false,
    });
  const idOf = async (run: ReturnType<typeof waiting>) => {
    let text = '';
    for await (const chunk of run.stderr) {
      text += chunk;
      const id =
        /approval\.request id=([0-9a-f]{12}) answer="capwrap|approval\.request id=([0-9a-f]{12})/.exec(text);
      if (id && text.includes('answer=')) return id[1] ?? id[2] ?? '';
    }
    throw new Error(`no request in ${text}`);
  };
  const first = waiting();
  const id = await idOf(first);
  expect((await approve(workspace, id, alice)).status).toBe(0);
  expect(await first).toMatchObject({ exitCode: 0, stdout: 'deployed now' });

  const second = waiting();
  const denied = await workspace.here(['deny', await idOf(second), '--reason', 'not on a \u001b[31mFriday']);
  expect(denied.status, denied.stderr).toBe(0);
  expect(await second).toMatchObject({ exitCode: 122, stdout: '' });
  const [, other] = workspace.records().slice(-2);
  expect(other).toMatchObject({ event: 'denied', reason: 'approval_refused' });
  expect(workspace.records().filter(({ event }) => event === 'approval_denied')).toMatchObject([
    { reason: 'refused', said: 'not on a \u001b[31mFriday' },
  ]);
});

test('no answer in time is a denial, and the request is over', async () => {
  const alice = makeEd25519Key();
  const workspace = await workspaceWith('signed', { alice: alice.publicLine });
  const timed = await workspace.cli(['run', '--approval-timeout', '1s', '-c', 'local', '--', './deploy.sh']);
  expect(timed.status).toBe(122);
  expect(timed.stderr).toContain('got no answer in time');
  const id = /id=([0-9a-f]{12})/.exec(timed.stderr)?.[1] ?? '';
  const late = await workspace.here(['approve', id, '--statement']);
  expect(late.status).toBe(122);
  expect(late.stderr).toContain('is over: the run that asked does not wait any more');
  expect(workspace.records().map(({ event, reason }) => [event, reason])).toEqual([
    ['trusted', undefined],
    ['approval_requested', undefined],
    ['approval_denied', 'timeout'],
    ['denied', 'approval_timeout'],
  ]);
});

describe('answers that do not count, each with its own reason', () => {
  const alice = makeEd25519Key();
  const eve = makeEd25519Key();
  const card = makeSkKey('sk-ssh-ed25519@openssh.com');

  async function refuses(
    approval: string,
    cases: readonly (readonly [Signer, string, Parameters<typeof approve>[3]?])[],
  ) {
    const workspace = await workspaceWith(approval, { alice: alice.publicLine, carol: card.publicLine });
    const id = await ask(workspace);
    for (const [signer, reason, options] of cases) {
      const result = await approve(workspace, id, signer, options);
      expect(result.status).toBe(122);
      expect(result.stderr).toContain(`[${reason}]`);
    }
    expect((await workspace.cli(['run', '--no-wait', '--approval', id])).status).toBe(122);
    expect(workspace.records().some(({ event }) => event === 'granted')).toBe(false);
  }

  test('another key, another purpose, another text', () =>
    refuses('signed', [
      [eve, 'wrong_key'],
      [alice, 'wrong_namespace', { namespace: 'file' }],
      [alice, 'bad_signature', { alter: (text) => text.replace('"uses": 1', '"uses": 9') }],
    ]));

  test('a key that nobody touched, or that can not be touched', () =>
    refuses('{grade: ssh_key_touch}', [
      [touchless(card), 'touch_missing'],
      [alice, 'touch_missing'],
    ]));

  test('a key that was touched and asked for no PIN', () =>
    refuses('{grade: ssh_key_verified}', [[touched(card), 'verification_missing']]));

  test('a touched key, and one that asked for a PIN, reach their grades', async () => {
    const approvers = { carol: card.publicLine };
    const workspace = await workspaceWith('{grade: ssh_key_verified}', approvers);
    const id = await ask(workspace);
    expect((await approve(workspace, id, touched(card, TOUCHED | VERIFIED))).status).toBe(0);
    expect((await workspace.cli(['run', '--approval', id])).status).toBe(0);
    expect(workspace.records().at(-1)).toMatchObject({
      approval_grade: 'ssh_key_verified',
      approver: 'carol',
    });
  });

  test('a signature for one request is none for another', async () => {
    const workspace = await workspaceWith('signed', { alice: alice.publicLine });
    const [first, second] = [await ask(workspace), await ask(workspace)];
    expect((await approve(workspace, first, alice)).status).toBe(0);
    const store = join(workspace.stateDir, 'approvals');
    const { readdirSync, copyFileSync } = await import('node:fs');
    const answer = readdirSync(join(store, first)).find((name) => name.startsWith('answer-')) ?? '';
    copyFileSync(join(store, first, answer), join(store, second, answer));
    const replayed = await workspace.cli(['run', '--approval', second]);
    expect(replayed.status).toBe(122);
    expect(workspace.records().at(-1)).toMatchObject({ reason: 'approval_altered' });
  });
});

test('for another run it is worthless, and every difference is told', async () => {
  const alice = makeEd25519Key();
  const workspace = await workspaceWith('signed', { alice: alice.publicLine });
  const id = await ask(workspace, ['-j', 'release']);
  expect((await approve(workspace, id, alice)).status).toBe(0);
  const refused = async (differences: string, args: readonly string[] = []) => {
    const used = await workspace.cli(['run', '--approval', id, ...args]);
    expect(used.status).toBe(122);
    expect(used.stderr).toContain(`was for another run: ${differences}`);
    expect(used.stdout).toBe('');
  };
  // That each of them is enough by itself is for test/approval/binding.test.ts.
  const facts = ['--actor', 'other', '--environment', 'production', '--ttl', '14m', '--task-id', 'other'];
  await refused('command, environment, actor, known how, task, justification, ttl are not as approved', [
    ...facts,
    ...['-j', 'other', '-c', 'local', '--', './deploy.sh', 'later'],
  ]);
  const edited = ['deploy.sh', '.git/HEAD'].map((name) => join(workspace.folder, name));
  const before = edited.map((file) => readFileSync(file, 'utf8'));
  const write = (change: (text: string) => string) => {
    for (const [at, file] of edited.entries()) writeFileSync(file, change(before[at] ?? ''));
  };
  write((text) => text.replace(/deployed|feat\/x/, 'other'));
  await refused('files, branch are not as approved');
  write((text) => text);
  expect(workspace.records().at(-1)).toMatchObject({ reason: 'approval_changed' });
  // None of that has used it up.
  expect((await workspace.cli(['run', '--approval', id])).stdout).toBe('deployed now\n');
});

test('two of three people, not one twice', async () => {
  const [alice, bob] = [makeEd25519Key(), makeEd25519Key()];
  const approvers = { alice: alice.publicLine, bob: bob.publicLine, carol: makeEd25519Key().publicLine };
  const workspace = await workspaceWith('{count: 2, self_approval: deny}', approvers);
  const id = await ask(workspace);
  expect((await approve(workspace, id, alice)).stdout).toContain('1 more answer is needed');
  expect((await approve(workspace, id, alice)).stderr).toContain('was approved by "alice" already');
  expect((await workspace.cli(['run', '--no-wait', '--approval', id])).status).toBe(122);
  expect((await approve(workspace, id, bob)).stdout).toContain('permits one run');
  expect((await workspace.cli(['run', '--approval', id])).status).toBe(0);
  expect(workspace.records().at(-1)).toMatchObject({ approver: 'alice,bob' });
  const own = await ask(workspace, ['--actor', 'Alice']);
  const self = await approve(workspace, own, alice);
  expect(self.stderr).toContain('[self_approval]');
});

test('a standing approval permits so many runs, and no more than the rule', async () => {
  const alice = makeEd25519Key();
  const workspace = await workspaceWith('{uses: 3, for: 2h}', { alice: alice.publicLine });
  const id = await ask(workspace);
  const more = await workspace.here(['approve', id, '--statement', '--uses', '4']);
  expect(more.stderr).toContain('is more than the 3 that the rule permits');
  const longer = await workspace.here(['approve', id, '--statement', '--for', '3h']);
  expect(longer.stderr).toContain('is longer than the 2h that the rule permits');
  expect((await approve(workspace, id, alice, { args: ['--uses', '3', '--for', '2h'] })).status).toBe(0);
  const runs = await Promise.all(Array.from({ length: 4 }, () => workspace.cli(['run', '--approval', id])));
  expect(runs.map(({ status }) => status).sort()).toEqual([0, 0, 0, 122]);
  expect(workspace.records().filter(({ event }) => event === 'granted')).toHaveLength(3);
});

test('two runs that race for one approval get one credential', async () => {
  const alice = makeEd25519Key();
  const workspace = await workspaceWith('signed', { alice: alice.publicLine });
  const id = await ask(workspace);
  await approve(workspace, id, alice);
  const runs = await Promise.all([1, 2, 3, 4].map(() => workspace.cli(['run', '--approval', id])));
  expect(runs.map(({ status }) => status).sort()).toEqual([0, 122, 122, 122]);
  expect(workspace.records().filter(({ event }) => event === 'issued')).toHaveLength(1);
});

test('across machines: the request goes there in a file, the answer comes back in one', async () => {
  const alice = makeEd25519Key();
  const here = await workspaceWith('signed', { alice: alice.publicLine });
  const id = await ask(here);
  const folder = tempDir();
  const request = join(folder, 'request.json');
  writeFileSync(request, (await here.here(['approvals', '--request', id])).stdout);

  const there = { HOME: folder, CAPWRAP_HOME: join(folder, 'state') };
  const statement = await here.here(['approve', '--request', request, '--statement'], {
    cwd: folder,
    env: there,
  });
  expect(statement.status, statement.stderr).toBe(0);
  const file = join(folder, 'statement.json');
  writeFileSync(file, statement.stdout);
  writeFileSync(`${file}.sig`, alice.sign(Buffer.from(statement.stdout), NAMESPACE));
  const reply = await here.here(['approve', '--request', request, '--signed', file], {
    cwd: folder,
    env: there,
  });
  expect(reply.status, reply.stderr).toBe(0);
  const approval = join(folder, 'approval.json');
  writeFileSync(approval, reply.stdout);

  const elsewhere = await here.cli(
    ['run', '--approval', approval, '-c', 'local', '--', './deploy.sh', 'now'],
    {
      env: { CAPWRAP_HOME: join(folder, 'state') },
    },
  );
  expect(elsewhere.status).toBe(122);
  const used = await here.cli(['run', '--approval', approval]);
  expect(used.status, used.stderr).toBe(0);
  expect(used.stdout).toBe('deployed now\n');
  expect((await here.cli(['run', '--approval', approval])).stderr).toContain('was used already');
});

test('a program of the team carries the request out and the signed answer back', async () => {
  const alice = makeEd25519Key();
  const workspace = await workspaceWith('{command: [./ask.sh]}', { alice: alice.publicLine });
  // It tells somebody, and has no answer itself.
  workspace.script('ask.sh', `cat > ${workspace.folder}/told.json; env > ${workspace.folder}/env`);
  const id = await ask(workspace);
  const told = readFileSync(join(workspace.folder, 'told.json'), 'utf8');
  expect(told).toBe((await workspace.here(['approvals', '--request', id])).stdout);
  const env = readFileSync(join(workspace.folder, 'env'), 'utf8');
  expect(env).toContain(`CAPWRAP_APPROVAL_ID=${id}\n`);
  expect(env).not.toContain('HOME=');
  // An unsigned yes is none.
  workspace.script('ask.sh', `printf '{"capwrap_reply":1,"id":"%s","approvals":[]}' "$CAPWRAP_APPROVAL_ID"`);
  await ask(workspace);
  // A no is a no.
  workspace.script(
    'ask.sh',
    `printf '{"capwrap_reply":1,"id":"%s","denied":true,"reason":"busy"}' "$CAPWRAP_APPROVAL_ID"`,
  );
  const denied = await workspace.cli(['run', '-c', 'local', '--', './deploy.sh']);
  expect(denied.status).toBe(122);
  expect(denied.stderr).toContain('was denied: busy');
});

test('the request shows everything, escaped, and what changed since the last approved run', async () => {
  const alice = makeEd25519Key();
  const workspace = await workspaceWith('signed', { alice: alice.publicLine });
  const first = await ask(workspace, ['-j', 'one']);
  await approve(workspace, first, alice);
  expect((await workspace.cli(['run', '--approval', first])).status).toBe(0);
  const second = await ask(workspace, ['-j', 'two\u001b]0;x\u0007\u202e', '--environment', 'production']);
  const shown = await workspace.cli(['approve', second]);
  expect(shown.status).toBe(122);
  expect(shown.stderr).toContain(`Different from the run that was approved as ${first}`);
  expect(shown.stderr).toMatch(/environment +was unknown\n +WIDER +is {2}production/);
  expect(shown.stderr).toContain('two\\u{1b}]0;x\\u{7}\\u{202e}');
  expect(shown.stderr.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(shown.stderr).toContain(`capwrap approve ${second} --key`);
  const list = await workspace.here(['approvals']);
  expect(list.stdout).toContain(second);
  expect(list.stdout).not.toContain(first);
  expect((await workspace.here(['approvals', '--all'])).stdout).toMatch(new RegExp(`${first} {2}used`));
});

describe('while a run waits', () => {
  /** Starts a run that asks, does something, signs, and tells how the run ended. */
  async function meanwhile(command: readonly string[], change: (workspace: Workspace) => unknown) {
    const alice = makeEd25519Key();
    const workspace = await workspaceWith('signed', { alice: alice.publicLine });
    const run = execa(BIN, ['run', '-c', 'local', '--', ...command], {
      cwd: workspace.folder,
      env: { PATH: process.env['PATH'] ?? '', ...workspace.env },
      extendEnv: false,
      reject: false,
    });
    let asked = '';
    for await (const chunk of run.stderr) {
      asked += chunk;
      if (asked.includes('answer=')) break;
    }
    await change(workspace);
    const id = /approval\.request id=([0-9a-f]{12})/.exec(asked)?.[1] ?? '';
    expect((await approve(workspace, id, alice)).status).toBe(0);
    return { ...(await run), records: workspace.records() };
  }

  test.each([
    {
      what: 'a file appears that the command names',
      command: ['/bin/sh', './later.sh'],
      change: (workspace: Workspace) => workspace.script('later.sh', 'echo stolen'),
    },
    {
      what: 'another branch is checked out',
      command: ['./deploy.sh', 'now'],
      change: ({ folder }: Workspace) =>
        writeFileSync(join(folder, '.git', 'HEAD'), 'ref: refs/heads/evil\n'),
    },
  ])('$what: the answer is worthless', async ({ command, change }) => {
    const { exitCode, stdout, records } = await meanwhile(command, change);
    expect(stdout).toBe('');
    expect(exitCode).toBe(122);
    expect(records.at(-1)).toMatchObject({ event: 'denied', reason: 'approval_changed' });
  });
});

test('an agent that swaps PATH or standard input after the approval gets nothing', async () => {
  const alice = makeEd25519Key();
  const workspace = await workspaceWith('signed', { alice: alice.publicLine });
  const id = await ask(workspace);
  expect((await approve(workspace, id, alice)).status).toBe(0);
  const path = await workspace.cli(['run', '--approval', id], {
    env: { PATH: `/evil:${process.env['PATH']}` },
  });
  expect(path.stderr).toContain('was for another run: PATH is not as approved');
  const input = await workspace.cli(['run', '--approval', id], { input: 'rm -rf everything\n' });
  expect(input.stderr).toContain('was for another run: standard input is not as approved');
  expect((await workspace.cli(['run', '--approval', id])).status).toBe(0);
});

test('on a map that is not trusted any more nothing is approved', async () => {
  const alice = makeEd25519Key();
  const workspace = await workspaceWith('signed', { alice: alice.publicLine });
  const id = await ask(workspace);
  await workspace.here(['untrust']);
  const approved = await workspace.here(['approve', id, '--statement']);
  expect(approved.status).toBe(121);
  expect(approved.stderr).toContain('is not trusted');
});

test('a script that is swapped while it starts is ended, and its lease with it', async () => {
  const alice = makeEd25519Key();
  const workspace = await workspaceWith('signed', { alice: alice.publicLine });
  // What the swap would do at the very moment of the start the script does to itself.
  workspace.script('deploy.sh', 'cp "$0" x && mv x "$0"; sleep 30; echo "deployed $1"');
  const id = await ask(workspace);
  expect((await approve(workspace, id, alice)).status).toBe(0);
  const run = await workspace.cli(['run', '--approval', id]);
  expect(run.stdout).toBe('');
  expect(run.stderr).toContain('was changed while the command ran; it was ended');
  expect(run.status).toBe(122);
  expect(workspace.records().at(-1)).toMatchObject({
    event: 'closed',
    end_reason: 'changed',
    outcome: 'revoked_verified',
    error: { code: 'ERR_COMMAND_CHANGED' },
  });
});

test('an approval that is not needed is not ignored', async () => {
  const alice = makeEd25519Key();
  const free = LOCAL_MAP.slice(LOCAL_MAP.indexOf('  local:')).replace('local:', 'free:');
  const workspace = await localWorkspace(`${signedMap('signed', { alice: alice.publicLine })}${free}`);
  workspace.script('deploy.sh', 'echo "deployed $1"');
  const id = await ask(workspace);
  const run = await workspace.cli(['run', '--approval', id, '-c', 'free']);
  expect(run.status).toBe(120);
  expect(run.stderr).toContain('is not needed: capabilities.free.rules[0] of "free" asks for none');
});

test('what can not be bound, or not be seen, is not asked for', async () => {
  const alice = makeEd25519Key();
  const workspace = await workspaceWith('signed', { alice: alice.publicLine });
  for (let index = 0; index < 300; index++) writeFileSync(join(workspace.folder, `f${index}`), '');
  const names = Array.from({ length: 300 }, (_, index) => `./f${index}`);
  const many = await workspace.cli(['run', '--no-wait', '-c', 'local', '--', './deploy.sh', ...names]);
  expect(many.status).toBe(120);
  expect(many.stderr).toContain('names more than 256 files, too many to approve');
  const hidden = await workspace.cli(
    ['run', '--no-wait', '-c', 'local', '--', './deploy.sh', 'rm -rf everything'],
    {
      env: { MY_TOKEN: 'rm -rf everything' },
    },
  );
  expect(hidden.status).toBe(122);
  expect(hidden.stderr).toContain('a word of the command is the value of a secret variable');
  expect(workspace.records().at(-1)).toMatchObject({
    reason: 'approval_hidden',
    command: ['./deploy.sh', '[capwrap:MY_TOKEN]'],
  });
});
