/** The whole flow with the real ssh-keygen on a terminal, as a person has it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { BIN, tempDir } from '../helpers/cli.ts';
import { NO_TERMINALS, onTerminal } from '../helpers/on-terminal.ts';
import { LOCAL_MAP, localWorkspace } from '../helpers/workspace.ts';

const NO_KEYGEN = spawnSync('ssh-keygen', ['-?']).error ? 'needs ssh-keygen' : null;
const missing = NO_TERMINALS ?? NO_KEYGEN;

describe.skipIf(missing !== null)(`with ssh-keygen${missing ? ` (skipped: ${missing})` : ''}`, () => {
  test.each(['ed25519', 'ecdsa', 'rsa'])(
    'a waiting run goes on once it is signed with a %s key',
    async (type) => {
      const keys = tempDir();
      const key = join(keys, 'id');
      await execa('ssh-keygen', ['-q', '-t', type, '-N', 'open sesame', '-C', 'alice', '-f', key]);
      const approvers = `approvers: {alice: {keys: ["${readFileSync(`${key}.pub`, 'utf8').trim()}"]}}\n`;
      const workspace = await localWorkspace(
        LOCAL_MAP.replace('version: 1\n', `version: 1\n${approvers}`).replace(
          'rules: [{allow: {repo: acme/web-app}}]',
          'rules: [{allow: {repo: acme/web-app}, approval: signed}]',
        ),
      );
      const env = { PATH: process.env['PATH'] ?? '', ...workspace.env };
      const run = execa(BIN, ['run', '-c', 'local', '--', '/bin/echo', 'ran'], {
        cwd: workspace.folder,
        env,
        extendEnv: false,
        reject: false,
      });
      let asked = '';
      for await (const chunk of run.stderr) {
        asked += chunk;
        if (asked.includes('answer=')) break;
      }
      const id = /approval\.request id=([0-9a-f]{12})/.exec(asked)?.[1] ?? '';
      const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
      const { status, screen } = await onTerminal(
        ['env', '-i', ...variables, BIN, 'approve', id, '--key', key],
        [
          { wait: 'anything else to deny: ', type_shown: 'Type ([0-9a-f]{4}) to' },
          { wait: 'passphrase', type: 'open sesame\n' },
        ],
        { cwd: workspace.folder },
      );
      expect(status, screen).toBe(0);
      expect(screen).toContain(`approved ${id} as alice (ssh_key)`);
      expect(screen).not.toContain('open sesame');
      expect(await run).toMatchObject({ exitCode: 0, stdout: 'ran' });
      const given = workspace.records().find(({ event }) => event === 'approval_given');
      const { stdout: listed } = await execa('ssh-keygen', ['-l', '-f', `${key}.pub`]);
      expect(listed).toContain(given?.['approver_key']);
    },
  );
});
