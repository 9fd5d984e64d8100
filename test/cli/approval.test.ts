/** Approval on a real terminal, and without one. */
import { describe, expect, test } from 'vitest';
import { BIN } from '../helpers/cli.ts';
import { NO_TERMINALS, onTerminal, type Step } from '../helpers/on-terminal.ts';
import { LOCAL_MAP, localWorkspace } from '../helpers/workspace.ts';

const MAP = LOCAL_MAP.replace(
  'rules: [{allow: {repo: acme/web-app}}]',
  'rules: [{allow: {repo: acme/web-app}, approval: prompt}]',
);

test('without a terminal the run is denied, and the record says why', async () => {
  const workspace = await localWorkspace(MAP);
  const result = await workspace.cli(['run', '--no-wait', '-c', 'local', '--', '/bin/echo', 'ran']);
  expect(result.status).toBe(122);
  expect(result.stdout).toBe('');
  const names = result.stderr.split('\n').map((line) => line.split(/\s/)[0]);
  expect(names.slice(0, 4)).toEqual(['policy.check', 'approval.request', 'approval.result', 'policy.result']);
  expect(result.stderr).toContain('policy.result   approved=false reason=approval_not_waiting');
  const events = workspace.records().map((record) => record['event']);
  expect(events.slice(-3)).toEqual(['approval_requested', 'approval_denied', 'denied']);
  expect(workspace.records().at(-1)).toMatchObject({ reason: 'approval_not_waiting', approval: 'denied' });
});

describe.skipIf(NO_TERMINALS !== null)(
  `on a terminal${NO_TERMINALS ? ` (skipped: ${NO_TERMINALS})` : ''}`,
  () => {
    async function answered(step: Step) {
      const workspace = await localWorkspace(MAP);
      const variables = Object.entries(workspace.env).map(([name, value]) => `${name}=${value}`);
      const argv = [
        'env',
        ...variables,
        BIN,
        'run',
        '-c',
        'local',
        '-j',
        'why\u202enot',
        '--',
        '/bin/echo',
        'ran',
      ];
      const { status, screen } = await onTerminal(argv, [step], { cwd: workspace.folder });
      return { status, screen, records: workspace.records() };
    }

    test('the last characters of the id approve, and the record grades it', async () => {
      const { status, screen, records } = await answered({
        wait: 'anything else to deny: ',
        type_shown: 'Type ([0-9a-f]{4}) to',
      });
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
      expect(records.at(-1)).toMatchObject({ event: 'denied', reason: 'approval_refused' });
    });
  },
);
