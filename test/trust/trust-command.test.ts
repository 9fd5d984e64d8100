import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NO_TERMINALS } from '../helpers/on-terminal.ts';
import { makeTrustPlace, type TrustWorld, trustProgram } from './trust-program.ts';

const MAP = `version: 1
capabilities:
  read-ci-artifacts:
    provider: local-issuer
    audience: artifact-proxy
    scope: [artifacts:read]
    ttl: 5m
    rules:
      - allow: {repo: acme/web-app}
`;
const DIGEST = createHash('sha256').update(MAP).digest('hex');

let source: string;
let place: TrustWorld;
let repo: string;
let map: string;
let stateDir: string;
let call: TrustWorld['call'];

beforeAll(async () => {
  source = await trustProgram();
});

beforeEach(() => {
  place = makeTrustPlace(source, MAP);
  ({ repo, map, stateDir, call } = place);
});

const pins = () => place.store().pins;
const records = () => place.records();

const PROMPT = 'to trust it: ';

const reason = NO_TERMINALS ? ` (skipped: ${NO_TERMINALS})` : '';

describe.skipIf(NO_TERMINALS !== null)(`on a terminal${reason}`, () => {
  test('shows the map, pins what was shown once the digest is typed, and records it', async () => {
    const result = await call({}, [{ wait: PROMPT, type: `${DIGEST.slice(0, 4)}\n` }]);
    expect(result).toMatchObject({ status: 0, error: null });
    expect(result.out).toBe(`"${map}" is trusted now (pinned)\nsha256 ${DIGEST}\n`);
    for (const shown of [map, DIGEST, 'read-ci-artifacts', 'repo=acme/web-app', 'artifacts:read']) {
      expect(result.screen).toContain(shown);
    }
    const pinned_at = expect.stringMatching(/^\d{4}-.*Z$/);
    expect(pins()).toEqual([
      {
        path: map,
        repo: null,
        repository: repo,
        sha256: DIGEST,
        grade: 'pinned',
        pinned_at,
        signature: null,
      },
    ]);
    expect(records()).toMatchObject([
      {
        event: 'trusted',
        map_path: map,
        map_sha256: DIGEST,
        map_trust: 'pinned',
        cwd: repo,
        actor: expect.stringMatching(/./),
        state_override: `CAPWRAP_HOME=${stateDir}`,
      },
    ]);
  });

  test.each([
    { name: 'y', type: 'y\n', why: 'the answer was not the first 4 characters of its sha256' },
    { name: 'Enter', type: '\n', why: 'the answer was not the first 4 characters of its sha256' },
    { name: 'Ctrl-C', type: '\u0003', why: 'the question was interrupted' },
  ])('$name pins nothing', async ({ type, why }) => {
    const result = await call({}, [{ wait: PROMPT, type }]);
    expect(result.error).toEqual({
      code: 'ERR_MAP_UNTRUSTED',
      message: `"${map}" was not pinned: ${why}`,
      hint: null,
    });
    expect(pins()).toEqual([]);
    expect(existsSync(join(stateDir, 'audit.jsonl'))).toBe(false);
  });

  test('what is pinned is what was shown, whatever the file says by then', async () => {
    const result = await call({}, [
      { wait: PROMPT, replace: [map, MAP.replace('5m', '50m')] },
      { wait: '', type: `${DIGEST.slice(0, 4)}\n` },
    ]);
    expect(result.status).toBe(0);
    expect(readFileSync(map, 'utf8')).toContain('50m');
    expect(pins().map((pin) => pin.sha256)).toEqual([DIGEST]);
  });

  test('a pin made without a terminal is raised to the better grade', async () => {
    await call({ options: { sha256: DIGEST } });
    await call({}, [{ wait: PROMPT, type: `${DIGEST.slice(0, 4).toUpperCase()}\n` }]);
    expect(pins().map((pin) => pin.grade)).toEqual(['pinned']);
  });
});

describe('without a terminal', () => {
  test('standard input is no answer; the map is shown and the command for this case named', async () => {
    const result = await call({});
    expect(result.error).toEqual({
      code: 'ERR_MAP_UNTRUSTED',
      message: `"${map}" was not pinned: there is no terminal to ask on`,
      hint: `capwrap trust --sha256 ${DIGEST} ${map}`,
    });
    expect(result.out).toContain('read-ci-artifacts');
    expect(pins()).toEqual([]);
  });

  test('--sha256 pins that content, graded apart', async () => {
    const result = await call({ options: { sha256: DIGEST, file: map } });
    expect(result).toMatchObject({ status: 0, error: null });
    expect(result.out).toContain('repo=acme/web-app');
    expect(pins()).toMatchObject([{ sha256: DIGEST, grade: 'pinned_noninteractive' }]);
    expect(records()).toMatchObject([{ event: 'trusted', map_trust: 'pinned_noninteractive' }]);
  });

  test('a second time says so and records nothing', async () => {
    await call({ options: { sha256: DIGEST } });
    const result = await call({ options: { sha256: DIGEST }, json: true });
    expect(result.status).toBe(0);
    expect(JSON.parse(result.out)).toEqual({
      path: map,
      repo: null,
      sha256: DIGEST,
      map_trust: 'pinned_noninteractive',
      approver: null,
      replaces: null,
      changes: null,
    });
    expect(records()).toHaveLength(1);
  });

  test.each([
    { name: 'another digest', sha256: 'f'.repeat(64), code: 'ERR_MAP_UNTRUSTED' },
    { name: 'the start of the digest', sha256: DIGEST.slice(0, 63), code: 'ERR_USAGE' },
    { name: 'an empty digest', sha256: '', code: 'ERR_USAGE' },
    { name: 'a pattern', sha256: '.'.repeat(64), code: 'ERR_USAGE' },
  ])('$name pins nothing', async ({ sha256, code }) => {
    expect((await call({ options: { sha256 } })).error?.code).toBe(code);
    expect(pins()).toEqual([]);
  });

  test('a map with faults pins nothing', async () => {
    writeFileSync(map, 'version: 1\ncapabilities: {x: {}}\n');
    const sha256 = createHash('sha256').update(readFileSync(map)).digest('hex');
    expect((await call({ options: { sha256 } })).error?.code).toBe('ERR_MAP_INVALID');
    expect(existsSync(stateDir)).toBe(false);
  });

  test('a pin that the administrator would not accept is not made', async () => {
    const result = await call({ options: { sha256: DIGEST }, requireMapTrust: 'pinned' });
    expect(result.error).toEqual({
      code: 'ERR_MAP_UNTRUSTED',
      message: `"${map}" is not trusted: it is pinned_noninteractive, and /etc/capwrap/config.yaml demands pinned`,
      hint: `capwrap trust ${map}`,
    });
    expect(pins()).toEqual([]);
    const asked = await call({ requireMapTrust: 'pinned' });
    expect(asked.error?.hint).toBe(`capwrap trust ${map}, in a terminal`);
  });

  test('no pin without a record', async () => {
    mkdirSync(join(stateDir, 'audit.jsonl'), { recursive: true });
    chmodSync(stateDir, 0o700);
    expect((await call({ options: { sha256: DIGEST } })).error?.code).toMatch(/^ERR_AUDIT_/);
    expect(pins()).toEqual([]);
  });
});

describe('untrust and --list', () => {
  beforeEach(() => call({ options: { sha256: DIGEST } }));

  test('the list names each pin', async () => {
    const text = await call({ options: { list: true } });
    expect(text.out).toMatch(
      new RegExp(
        `^\\d{4}-\\S+Z {2}pinned_noninteractive {2}${DIGEST} {2}- {2}kept {2}/.*capabilities.yaml\\n$`,
      ),
    );
    const json = await call({ options: { list: true, file: map }, json: true });
    expect(JSON.parse(json.out)).toEqual({
      pins: [
        {
          path: map,
          repo: null,
          repository: repo,
          sha256: DIGEST,
          grade: 'pinned_noninteractive',
          approver: null,
          pinned_at: pins()[0]?.pinned_at,
          kept: 'kept',
          old: false,
          fault: null,
        },
      ],
      lineages: [{ path: map, repo: null, sha256: DIGEST, approvers: [] }],
    });
    const none = await call({ options: { list: true, file: join(repo, 'other.yaml') } });
    expect(none.out).toBe('no map is pinned\n');
  });

  test('untrust removes the pin and records it', async () => {
    const result = await call({ command: 'untrust', json: true });
    expect(result.status).toBe(0);
    expect(JSON.parse(result.out)).toEqual({ path: map, removed: [DIGEST], forgotten: [] });
    expect(pins()).toEqual([]);
    expect(records()).toMatchObject([
      { event: 'trusted' },
      { event: 'untrusted', map_path: map, map_sha256: DIGEST, map_trust: 'untrusted' },
    ]);
  });

  test('untrust works for a map that is gone, and says when there was nothing to remove', async () => {
    rmSync(map);
    expect((await call({ command: 'untrust', options: { file: map } })).status).toBe(0);
    const again = await call({ command: 'untrust', options: { file: map } });
    expect(again).toMatchObject({ status: 1, out: `"${map}" was not pinned\n` });
    expect(records()).toHaveLength(2);
  });

  test('untrust of another version leaves this one', async () => {
    expect((await call({ command: 'untrust', options: { sha256: 'f'.repeat(64) } })).status).toBe(1);
    expect((await call({ command: 'untrust', options: { sha256: 'all' } })).error?.code).toBe('ERR_USAGE');
    expect(pins()).toHaveLength(1);
  });
});
