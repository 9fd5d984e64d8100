/** A fault at every step of a run: the right status, one clear error, a record where one is due, and no child. */
import { chmodSync, existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ERROR_LINES } from '../helpers/error-lines.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { type AwsWorkspace, awsWorkspace, localWorkspace, type Workspace } from '../helpers/workspace.ts';

/** The child of every case; where it has run, a file is there. */
const CHILD = ['/bin/sh', '-c', 'touch child-ran'];

interface FaultCase {
  readonly name: string;
  readonly arrange?: (workspace: Workspace) => void | Promise<void>;
  readonly args?: readonly string[];
  readonly status: number;
  readonly error: RegExp;
  /** Events of the records that the fault must have left, in order. */
  readonly events: readonly string[];
}

const faults: readonly FaultCase[] = [
  {
    name: 'no command',
    args: ['run', '-c', 'local'],
    status: 120,
    error: /the command to run must stand behind "--"/,
    events: [],
  },
  {
    name: 'an empty word for a command',
    args: ['run', '-c', 'local', '--', '', 'argument'],
    status: 120,
    error: /the command behind "--" is an empty word/,
    events: [],
  },
  {
    name: 'an unknown option',
    args: ['run', '-c', 'local', '--frobnicate', '--', ...CHILD],
    status: 120,
    error: /unknown option/,
    events: [],
  },
  {
    name: 'a bad duration',
    args: ['run', '-c', 'local', '--ttl', 'soon', '--', ...CHILD],
    status: 120,
    error: /"--ttl soon" is not a duration/,
    events: [],
  },
  {
    name: 'a closed events descriptor',
    args: ['run', '-c', 'local', '--events-fd', '77', '--', ...CHILD],
    status: 120,
    error: /not a descriptor that the caller opened/,
    events: [],
  },
  {
    name: 'no map',
    arrange: ({ mapFile }) => rmSync(mapFile),
    status: 121,
    error: /"capabilities\.yaml" was not found; looked for/,
    events: [],
  },
  {
    name: 'an edited map',
    arrange: ({ mapFile }) => writeFileSync(mapFile, 'version: 1\ncapabilities: {}\n'),
    status: 121,
    error: /is not trusted/,
    events: ['denied'],
  },
  {
    name: 'a map that others may write',
    arrange: ({ mapFile }) => chmodSync(mapFile, 0o666),
    status: 121,
    error: /writ/,
    events: ['denied'],
  },
  {
    name: 'an unknown capability',
    args: ['run', '-c', 'locale', '--', ...CHILD],
    status: 121,
    error: /"locale" is not defined/,
    events: [],
  },
  {
    name: 'another repository',
    arrange: ({ folder }) =>
      writeFileSync(
        join(folder, '.git', 'config'),
        '[remote "origin"]\n\turl = https://git.example/evil/fork.git\n',
      ),
    status: 121,
    error:
      /is not trusted: it was trusted in the repository acme\/web-app, and this is the repository evil\/fork/,
    events: ['denied'],
  },
  {
    name: 'no issuer key',
    arrange: ({ stateDir }) => rmSync(join(stateDir, 'issuer'), { recursive: true }),
    status: 123,
    error: /issuer/,
    events: ['granted', 'closed'],
  },
  {
    name: 'an audit log that is a link',
    arrange: ({ folder, stateDir }) => {
      rmSync(join(stateDir, 'audit.jsonl'));
      symlinkSync(join(folder, 'elsewhere'), join(stateDir, 'audit.jsonl'));
    },
    status: 125,
    error: /audit\.jsonl/,
    events: [],
  },
  {
    name: 'a full disk under the audit log',
    arrange: ({ stateDir }) => {
      rmSync(join(stateDir, 'audit.jsonl'));
      symlinkSync('/dev/full', join(stateDir, 'audit.jsonl'));
    },
    status: 125,
    error: /audit\.jsonl/,
    events: [],
  },
  {
    name: 'a missing command',
    args: ['run', '-c', 'local', '--', './no-such.sh'],
    status: 127,
    error: /no-such\.sh/,
    events: [],
  },
  {
    name: 'a command that is not executable',
    arrange: ({ folder }) => writeFileSync(join(folder, 'plain.sh'), '#!/bin/sh\n'),
    args: ['run', '-c', 'local', '--', './plain.sh'],
    status: 126,
    error: /plain\.sh/,
    events: [],
  },
];

test.each(faults)('$name', async ({ arrange, args, status, error, events }) => {
  const workspace = await localWorkspace();
  const before = workspace.records().length;
  await arrange?.(workspace);
  const result = await workspace.cli(args ?? ['run', '-c', 'local', '--', ...CHILD]);

  expect(result.stderr).toMatch(error);
  expect(result.status).toBe(status);
  expect(result.stdout).toBe('');
  expect(result.stderr.match(ERROR_LINES)).toHaveLength(1);
  expect(existsSync(join(workspace.folder, 'child-ran'))).toBe(false);
  if (status !== 125) {
    const added = workspace.records().slice(before);
    expect(added.map((record) => record['event'])).toEqual(events);
  }
});

interface StsFaultCase {
  readonly name: string;
  readonly arrange: (workspace: AwsWorkspace) => void | Promise<void>;
  readonly error: RegExp;
}

const stsFaults: readonly StsFaultCase[] = [
  { name: 'STS is down', arrange: ({ sandbox }) => sandbox.stop(), error: /refuses connections/ },
  {
    name: 'STS refuses',
    arrange: ({ sandbox }) =>
      sandbox.faults.push({ kind: 'error', service: 'sts', status: 403, code: 'AccessDenied' }),
    error: /trust policy|may not assume|not allowed/,
  },
  {
    name: 'STS answers nonsense',
    arrange: ({ sandbox }) => sandbox.faults.push({ kind: 'html', service: 'sts' }),
    error: /answer/,
  },
  {
    name: 'STS breaks off',
    arrange: ({ sandbox }) => sandbox.faults.push({ kind: 'truncated', service: 'sts' }),
    error: /connection|answer/,
  },
  {
    name: 'STS speaks as somebody else',
    arrange: ({ sandbox }) =>
      sandbox.faults.push({
        kind: 'rewrite',
        service: 'sts',
        elements: { Arn: 'arn:aws:sts::123456789012:assumed-role/admin/agent-x' },
      }),
    error: /assumed-role\/admin/,
  },
  {
    name: 'STS issues what has expired',
    arrange: ({ sandbox }) =>
      sandbox.faults.push({
        kind: 'rewrite',
        service: 'sts',
        elements: { Expiration: '2020-01-01T00:00:00Z' },
      }),
    error: /expire/,
  },
];

test.each(stsFaults)('$name: 123, a closed record, and no child', async ({ arrange, error }) => {
  const workspace = await awsWorkspace();
  await arrange(workspace);
  const result = await workspace.run('preview', CHILD);

  expect(result.status).toBe(123);
  expect(result.stderr).toMatch(error);
  expect(result.stderr.match(ERROR_LINES)).toHaveLength(1);
  expect(existsSync(join(workspace.folder, 'child-ran'))).toBe(false);
  const events = workspace.records().map((record) => record['event']);
  expect(events).toEqual(['trusted', 'granted', 'closed']);
  workspace.expectNoLeak(result.stdout, result.stderr);
});

test('an answer that echoes a secret as its error code puts it nowhere', async () => {
  const workspace = await awsWorkspace();
  const code = 'wJalrXUtnFEMIzK7MDENGzbPxRfiCYEXAMPLEKEY';
  workspace.sandbox.faults.push({ kind: 'error', service: 'sts', status: 400, code });
  const result = await workspace.run('preview', CHILD);
  expect(result.status).toBe(123);
  expectNowhere([code], { texts: [result.stdout, result.stderr], folders: [workspace.stateDir] });
});

test('a credential that had expired when it came is recorded as expired', async () => {
  const workspace = await awsWorkspace();
  const elements = { Expiration: '2020-01-01T00:00:00Z' };
  workspace.sandbox.faults.push({ kind: 'rewrite', service: 'sts', elements });
  await workspace.run('preview', CHILD);
  expect(workspace.records().at(-1)).toMatchObject({ event: 'closed', outcome: 'expired' });
});

test('a secret of the caller stands in no event, error or record', async () => {
  const workspace = await localWorkspace();
  const secret = 'callers-own-secret';
  const options = { env: { MY_TOKEN: secret } };
  const claimed = ['--environment', secret, '--actor', secret, '-j', secret];
  const shown = await workspace.cli(['run', '-c', 'local', ...claimed, '--', '/bin/echo', secret], options);
  expect(shown.stderr).toContain('env=[capwrap:MY_TOKEN]');
  const unknown = await workspace.cli(['run', '-c', secret, '--', '/bin/true'], options);
  expect(unknown.stderr).toContain('capability "[capwrap:MY_TOKEN]" is not defined');
  writeFileSync(workspace.mapFile, 'version: 1\ncapabilities: {}\n');
  const untrusted = await workspace.cli(['run', '-c', secret, ...claimed, '--', secret], options);
  expect(untrusted.status).toBe(121);
  const texts = [shown.stderr, unknown.stderr, untrusted.stderr];
  expectNowhere([secret], { texts, folders: [workspace.stateDir] });
  expect(workspace.records().at(-1)).toMatchObject({
    event: 'denied',
    reason: 'map_untrusted',
    actor: '[capwrap:MY_TOKEN]',
    justification: '[capwrap:MY_TOKEN]',
    approval: 'none',
  });
});

test('no character that could forge a line gets out through --json either', async () => {
  const workspace = await localWorkspace();
  const { status, stderr } = await workspace.cli(['run', '--json', '-c', 'x\u202e\u009b31m', '--', ...CHILD]);
  expect(status).toBe(121);
  expect(stderr).not.toMatch(/[\u202e\u009b]/);
  expect(JSON.parse(stderr).message).toContain('x\u202e');
});

test('a closing record that cannot be written is 125, and tells how child and lease ended', async () => {
  const workspace = await localWorkspace();
  const script = workspace.script('spoil.sh', 'rm state/audit.jsonl; mkdir state/audit.jsonl; exit 3');
  const result = await workspace.run('local', [script]);
  expect(result.status).toBe(125);
  expect(result.stderr).toMatch(
    /the closing audit record is missing: .*; the command itself ended with status 3/,
  );
  expect(result.stderr).toContain('its lease: revoked_verified');
});

test('a credential that was issued when its record could not be written is ended, and no command is started', async () => {
  const workspace = await localWorkspace();
  const { folder, stateDir } = workspace;
  const expiry = new Date(Date.now() + 300_000).toISOString();
  const lease = `{"capwrap_lease":1,"token":"tok-0123456789abcdef","expires_at":"${expiry}"}`;
  const spoil = `rm ${stateDir}/audit.jsonl; mkdir ${stateDir}/audit.jsonl`;
  workspace.script('issue.sh', `${spoil}; printf %s '${lease}'`);
  workspace.script('end.sh', `echo done > ${folder}/ended`);
  await workspace.setMap(`version: 1
capabilities:
  own:
    provider: command
    argv: [./issue.sh]
    end: [./end.sh]
    scope: [x]
    inject: {OWN: token}
    program_env: {set: {PATH: '/usr/bin:/bin'}}
    rules: [{allow: {repo: acme/web-app}}]
`);
  const result = await workspace.run('own', CHILD);
  expect(result.stderr).toMatch(
    /^capwrap: error: the closing audit record is missing: .*; no command was started; its lease: revoked_unverified$/m,
  );
  expect(result.status).toBe(125);
  expect(existsSync(join(folder, 'ended'))).toBe(true);
  expect(existsSync(join(folder, 'child-ran'))).toBe(false);
});
