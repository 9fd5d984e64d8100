/** `capwrap check` on real files, through its own function. */

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Ambient } from '../../src/base/ambient.ts';
import { NO_LAUNCHER } from '../../src/base/launch.ts';
import { type CheckOptions, check } from '../../src/commands/check.ts';
import { schema } from '../../src/commands/schema.ts';
import { ROOT, tempDir } from '../helpers/cli.ts';
import { pinMap } from '../trust/pin-map.ts';
import { type KeptOutput, keptContext } from './command-context.ts';

const GOOD = `version: 1
capabilities:
  read:
    description: Reads
    provider: local-issuer
    audience: a
    scope: [x]
    rules: [{allow: {repo: acme/x, branch: main, command: ./x.sh, sources: {repo: observed, branch: observed}}}]
    tests: [{given: {repo: acme/x, branch: main, command: [./x.sh]}, expect: allow}]
`;

/** A finding, and a test that fails. */
const BARE = GOOD.replace('./x.sh, sources', 'x.sh, sources');

const AWS = `version: 1
capabilities:
  read:
    description: Reads
    provider: aws-sts
    role_arn: arn:aws:iam::123456789012:role/x
    region: us-east-1
    source: {type: env}
    scope: [{actions: [s3:GetObjct], resources: ["arn:aws:s3:::a/*"]}]
    rules: [{allow: {repo: acme/x, branch: main, command: ./x.sh, sources: {repo: observed, branch: observed}}}]
    tests: [{given: {repo: acme/x, branch: main, command: [./x.sh]}, expect: allow}]
`;

interface Run {
  readonly status: number;
  readonly out: string;
}

function contextFor(cwd: string, home: string, json = false): KeptOutput {
  const ambient: Ambient = {
    env: { CAPWRAP_HOME: home, HOME: home },
    cwd,
    uid: process.getuid?.() ?? -1,
    gid: process.getgid?.() ?? -1,
    pid: process.pid,
    platform: process.platform,
    launch: NO_LAUNCHER,
  };
  return keptContext(ambient, { json });
}

async function run(
  text: string,
  options: Partial<CheckOptions> & { json?: boolean; pin?: boolean; name?: string } = {},
): Promise<Run> {
  const folder = tempDir();
  const file = join(folder, options.name ?? 'capabilities.yaml');
  const home = join(folder, 'state');
  mkdirSync(home, { mode: 0o700 });
  writeFileSync(file, text, { mode: 0o644 });
  const { context, text: written } = contextFor(folder, home, options.json);
  if (options.pin) await pinMap(context.ambient, home, file);
  const status = await check(context, {
    format: options.format ?? 'text',
    file: options.file ?? options.name,
  });
  return { status, out: written().replaceAll(folder, 'FOLDER') };
}

describe('capwrap check', () => {
  it('is 0 for a map without faults, and says that it is not trusted', async () => {
    expect(await run(GOOD)).toEqual({
      status: 0,
      out: `capabilities.yaml: 1 capability, 1 of 1 test passed, 0 warnings, 0 notes
not trusted: nobody has trusted it here (capwrap trust FOLDER/capabilities.yaml)
`,
    });
    expect((await run(GOOD, { pin: true })).out).not.toContain('not trusted');
  });

  it('is 1 for a map with faults, each with its place and remedy', async () => {
    expect(await run(GOOD.replace('audience: a', 'audiense: a').replace('[x]', 'x'))).toEqual({
      status: 1,
      out: `capabilities.yaml:3:3: error: "audience" is missing in "read" [missing_key]
    fix: add "audience: artifacts.example.com"
capabilities.yaml:6:5: error: "audiense" is not a known key [unknown_key]
    fix: did you mean "audience"?
capabilities.yaml:7:12: error: "scope" must be a list [wrong_type]
    fix: write "scope: [artifacts:read]"
capabilities.yaml: 3 faults, so nothing in it can be used
`,
    });
  });

  it('is 1 for a test that does not hold', async () => {
    const { status, out } = await run(GOOD.replace('expect: allow', 'expect: deny'));
    expect(status).toBe(1);
    expect(out).toContain(
      'capabilities.yaml:9:13: error: "capabilities.read.tests[0]" expects deny, and capabilities.read.rules[0] allows it [test_failed]',
    );
    expect(out).toContain('0 of 1 test passed');
  });

  it('is 0 for findings, and lists what is still to be removed', async () => {
    const text = `${GOOD}    env: {pass: [SSH_AUTH_SOCK], pass_sensitive: [SSH_AUTH_SOCK]}\n`;
    const { status, out } = await run(text);
    expect(status).toBe(0);
    expect(
      out,
    ).toContain(`capabilities.yaml:10:10: warning: "SSH_AUTH_SOCK" is handed through by read [pass_sensitive]
    why: it reaches an agent or session socket that acts with standing access
    fix: delete SSH_AUTH_SOCK from pass and pass_sensitive once the command can do without
`);
    expect(out).toContain('still to be removed: pass_sensitive 1\n');
  });

  it('prints one JSON object', async () => {
    const text = `${GOOD}    env: {pass: [SSH_AUTH_SOCK], pass_sensitive: [SSH_AUTH_SOCK]}\n`;
    const json = JSON.parse((await run(text, { format: 'json', pin: true })).out);
    expect(json).toMatchObject({
      schema_version: 1,
      file: 'capabilities.yaml',
      valid: true,
      trusted: true,
      map_trust: 'pinned',
      iam_data: null,
      capabilities: 1,
      faults: [],
      tests: { total: 1, failed: [] },
      findings: [{ code: 'pass_sensitive', line: 10, column: 10, still_to_remove: true }],
    });
    expect(json.sha256).toBe(createHash('sha256').update(text).digest('hex'));
    const faulty = JSON.parse((await run(GOOD.replace('[x]', 'x'), { json: true })).out);
    expect(faulty).toMatchObject({
      valid: false,
      map_trust: 'untrusted',
      faults: [{ code: 'wrong_type', line: 7 }],
    });
  });

  it('keeps the keys of its JSON: within a schema_version they are only added', async () => {
    const json = JSON.parse((await run(BARE, { json: true })).out);
    expect(Object.keys(json)).toEqual([
      ...['schema_version', 'file', 'sha256', 'valid', 'trusted', 'map_trust', 'iam_data', 'capabilities'],
      ...['faults', 'tests', 'findings'],
    ]);
    const keysOf = (value: object) => Object.keys(value).sort().join(' ');
    expect(keysOf(json.findings[0])).toBe('at code column fix line message severity still_to_remove why');
    expect(keysOf(json.tests.failed[0])).toBe('at column decision line message');
    const faulty = JSON.parse((await run(GOOD.replace('[x]', 'x'), { json: true })).out);
    expect(keysOf(faulty.faults[0])).toBe('at code column fix line message text');
  });

  it('names the day of the IAM data that it goes by', async () => {
    const json = JSON.parse((await run(AWS, { json: true })).out);
    expect(json.iam_data).toMatch(/^20\d\d-\d\d-\d\d$/);
    expect(json.findings).toMatchObject([
      { code: 'iam_action_unknown', line: 9, message: expect.stringContaining(json.iam_data) },
    ]);
  });

  it('prints an annotation for each fault, failed test and finding', async () => {
    expect((await run(GOOD, { format: 'github' })).out).toBe('');
    const { status, out } = await run(BARE, { format: 'github' });
    expect(status).toBe(1);
    expect(out.trimEnd().split('\n')).toEqual([
      expect.stringMatching(
        /^::error file=capabilities\.yaml,line=9,col=13,title=test_failed::"capabilities\.read\.tests\[0\]" expects allow, .*%0Afix: /,
      ),
      '::warning file=capabilities.yaml,line=8,col=59,title=bare_program::"x.sh" is found through the PATH of the caller%0Awhy: another program of that name, earlier in PATH, matches too%0Afix: write the path of the program',
    ]);
  });

  it('lets nothing in the map or its path break out of an annotation', async () => {
    const text = GOOD.replace('audience: a', '"a%,:\\n::error::x": a');
    const { status, out } = await run(text, { format: 'github', name: 'a,b:c%.yaml' });
    expect(status).toBe(1);
    expect(out.trimEnd().split('\n')).toEqual([
      '::error file=a%2Cb%3Ac%25.yaml,line=3,col=3,title=missing_key::"audience" is missing in "read"%0Afix: add "audience: artifacts.example.com"',
      expect.stringMatching(
        /^::error file=a%2Cb%3Ac%25\.yaml,line=6,col=5,title=unknown_key::"a%25,:\\u\{a\}::error::x" is not a known key%0Afix: /,
      ),
    ]);
  });

  it('takes a file by name, and refuses one that is not there', async () => {
    const folder = tempDir();
    const { context } = contextFor(folder, folder);
    await expect(check(context, { format: 'text', file: 'other.yaml' })).rejects.toMatchObject({
      code: 'ERR_MAP_NOT_FOUND',
    });
  });
});

describe('capwrap schema', () => {
  it('prints the schema that ships', async () => {
    const { context, text: written } = contextFor('/', '/');
    expect(await schema(context, {})).toBe(0);
    expect(written()).toBe(readFileSync(join(ROOT, 'schema', 'capabilities.schema.json'), 'utf8'));
  });
});
