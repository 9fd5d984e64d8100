/** Approval on a real terminal: what is typed there, and by whom it can be. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { BIN } from '../helpers/cli.ts';
import { NO_TERMINALS, onTerminal, type Step } from '../helpers/on-terminal.ts';
import { LOCAL_MAP, localWorkspace, type Workspace } from '../helpers/workspace.ts';

const mapWith = (approval: string, top = '') =>
  LOCAL_MAP.replace('version: 1\n', `version: 1\n${top}`).replace(
    'rules: [{allow: {repo: acme/web-app}}]',
    `rules: [{allow: {repo: acme/web-app}, approval: ${approval}}]`,
  );

/** The arguments of a program, on a terminal, with the workspace's environment and no other. */
function onTerminalHere(workspace: Workspace, args: readonly string[], steps: readonly Step[]) {
  const variables = Object.entries({ PATH: process.env['PATH'], ...workspace.env }).map(
    ([name, value]) => `${name}=${value}`,
  );
  return onTerminal(['env', '-i', ...variables, ...args], steps, { cwd: workspace.folder });
}

const APPROVE: Step = { wait: 'anything else to deny: ', type_shown: 'Type ([0-9a-f]{4}) to' };

test('a narrower version of the map says that the wider one is still trusted', async () => {
  const workspace = await localWorkspace(mapWith('none'));
  const [wider] = workspace.records();
  writeFileSync(workspace.mapFile, mapWith('prompt'));
  const digest = createHash('sha256').update(mapWith('prompt')).digest('hex');
  const narrower = await workspace.cli(['trust', '--sha256', digest]);
  expect(narrower.stderr).toContain('the version before, which allows more, is still trusted');
  expect(narrower.stderr).toContain(`capwrap untrust --sha256 ${wider?.['map_sha256']} `);
  await workspace.cli(['untrust', '--sha256', String(wider?.['map_sha256'])]);
  writeFileSync(workspace.mapFile, mapWith('none'));
  expect((await workspace.run('local', ['/bin/echo', 'ran'])).status).toBe(121);
});

describe.skipIf(NO_TERMINALS !== null)(
  `on a terminal${NO_TERMINALS ? ` (skipped: ${NO_TERMINALS})` : ''}`,
  () => {
    async function answered(step: Step, approval = 'prompt') {
      const workspace = await localWorkspace(mapWith(approval));
      const run = [BIN, 'run', '-c', 'local', '-j', 'why\u202enot', '--', '/bin/echo', 'ran'];
      const { status, screen } = await onTerminalHere(workspace, run, [step]);
      return { status, screen, records: workspace.records(), workspace };
    }

    test('the last characters of the id approve, and the record grades it', async () => {
      const { status, screen, records } = await answered(APPROVE);
      expect(status, screen).toBe(0);
      expect(screen).toContain('\r\nran\r\n');
      expect(screen).toContain('why\\u{202e}not');
      expect(records.at(-1)).toMatchObject({
        event: 'closed',
        approval: 'granted',
        approval_grade: 'terminal',
      });
      expect(records.map((record) => record['event'])).toEqual([
        'trusted',
        'approval_requested',
        'approval_given',
        'granted',
        'issued',
        'closed',
      ]);
    });

    test.each(['y', '', 'yes', '0000'])('%j denies', async (type) => {
      const { status, screen, records } = await answered({
        wait: 'anything else to deny: ',
        type: `${type}\n`,
      });
      expect(status, screen).toBe(122);
      expect(screen).not.toContain('\r\nran\r\n');
      expect(records.slice(-2)).toMatchObject([
        { event: 'approval_denied', reason: 'refused' },
        { event: 'denied', reason: 'approval_refused' },
      ]);
    });

    test('after a denial nobody is asked again for a while', async () => {
      const refuse: Step = { wait: 'anything else to deny: ', type: 'no\n' };
      const { workspace } = await answered(refuse, '{grade: terminal, cooldown: 10m}');
      const again = await workspace.run('local', ['/bin/echo', 'ran']);
      expect(again.status).toBe(122);
      expect(again.stderr).toMatch(/was denied a short time ago; it can be asked for again in (?:9m|10m)/);
      expect(workspace.records().at(-1)).toMatchObject({ reason: 'approval_cooling_down' });
    });

    test('prompts of parallel runs wait for one another', async () => {
      const workspace = await localWorkspace(mapWith('prompt'));
      const script = workspace.script(
        'both.sh',
        `for n in one two; do ${BIN} run --quiet -c local -- /bin/echo "ran $n" & done; wait`,
      );
      const { screen } = await onTerminalHere(workspace, [script], [APPROVE, APPROVE]);
      // What the first one prints may be in the midst of the second question.
      const ended = workspace.records().filter(({ event }) => event === 'closed');
      expect(ended, screen).toMatchObject([{ child: { exit_code: 0 } }, { child: { exit_code: 0 } }]);
      // The second question is not shown before the first one is answered.
      const [, first = '', second = ''] = screen.split('capwrap asks for approval ');
      const word = /to approve.*: ([0-9a-f]{4})\r\n/;
      expect(first).toMatch(word);
      expect(second).toMatch(word);
    });

    test('a run that has the keyboard lets go of it while another one asks', async () => {
      const rules =
        'rules: [{allow: {repo: acme/web-app, command: /bin/true}, approval: prompt}, {allow: {repo: acme/web-app}}]';
      const workspace = await localWorkspace(
        LOCAL_MAP.replace('rules: [{allow: {repo: acme/web-app}}]', rules),
      );
      const reader = workspace.script(
        'reader.sh',
        'echo reads; read -r one; echo "got <$one>"; touch ready; read -r two; echo "got <$two>"',
      );
      const script = workspace.script(
        'both.sh',
        `${BIN} run --quiet -c local -- ${reader} < /dev/tty &
until [ -e ready ]; do sleep 0.05; done
${BIN} run --quiet -c local -- /bin/true; echo "asked: $?"; wait`,
      );
      const { screen } = await onTerminalHere(
        workspace,
        [script],
        [{ wait: 'reads', type: 'one\n' }, APPROVE, { wait: 'asked: 0', type: 'two\n' }],
      );
      expect(screen).toContain('got <one>');
      expect(screen).toContain('got <two>');
    });

    test('an answer from another terminal takes the question away', async () => {
      const workspace = await localWorkspace(mapWith('prompt'));
      const script = workspace.script(
        'elsewhere.sh',
        `${BIN} run -c local -- /bin/echo ran & sleep 0.1
until id=$(${BIN} approvals --json | grep -o '"id":"[0-9a-f]*"' | cut -d '"' -f 4 | head -1) && [ -n "$id" ]; do sleep 0.1; done
${BIN} deny "$id" --reason "from elsewhere"; wait`,
      );
      const { screen } = await onTerminalHere(workspace, [script], []);
      expect(screen).toContain('was denied: from elsewhere');
      expect(screen).not.toContain('\r\nran\r\n');
    });

    test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
      '%s ends the question and the run by that signal',
      async (signal) => {
        const workspace = await localWorkspace(mapWith('prompt'));
        const run = [BIN, 'run', '-c', 'local', '--', '/bin/echo', 'ran'];
        const { status, screen } = await onTerminalHere(workspace, run, [
          { wait: 'anything else to deny: ', signal },
        ]);
        expect(status, screen).toBe(-(constants.signals[signal] ?? 0));
        expect(workspace.records().slice(-2)).toMatchObject([
          { event: 'approval_denied', reason: 'interrupted' },
          { event: 'denied', reason: 'approval_interrupted' },
        ]);
      },
    );

    test('a signature is not replaced by a word on the terminal', async () => {
      const { publicLine } = (await import('../sshsig/build-sk.ts')).makeEd25519Key();
      const top = `approvers: {alice: {keys: ["${publicLine}"]}}\n`;
      const workspace = await localWorkspace(mapWith('signed', top));
      const asked = await workspace.cli(['run', '--no-wait', '-c', 'local', '--', '/bin/echo', 'ran']);
      expect(asked.status).toBe(122);
      const id = idIn(asked.stderr);
      // `capwrap approve` doesn't even ask; and a typed answer that was put into the store by hand doesn't count.
      const approve = await onTerminalHere(workspace, [BIN, 'approve', id], []);
      expect(approve.screen).toContain('needs a signature of grade ssh_key');
      expect(approve.status).toBe(122);
      await forgeTypedAnswer(workspace, id);
      const used = await workspace.cli(['run', '--approval', id]);
      expect(used.status).toBe(122);
      expect(used.stderr).toContain(
        "doesn't count: it was typed on a terminal, and the rule asks for ssh_key",
      );
      expect(workspace.records().at(-1)).toMatchObject({ reason: 'approval_grade_too_weak' });
    });
  },
);

function idIn(stderr: string): string {
  return /approval\.request id=([0-9a-f]{12})/.exec(stderr)?.[1] ?? '';
}

/** What an agent of the same user can write: the file that `capwrap approve` would. */
async function forgeTypedAnswer(workspace: Workspace, id: string): Promise<void> {
  const { openApprovals } = await import('../../src/approval/store.ts');
  const { statementText } = await import('../../src/approval/statement.ts');
  const store = openApprovals(workspace.stateDir, process.getuid?.() ?? 0);
  const request = store.request(id);
  if (request === null) throw new Error('no request');
  const not_after = new Date(Date.now() + 60_000).toISOString();
  store.addAnswer(id, {
    kind: 'typed',
    statement: statementText(request, { uses: 1, not_after }),
    user: 'alice',
  });
}
