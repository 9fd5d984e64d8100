/** A changed map on a terminal: what is shown, who may answer, and what is left behind. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NO_TERMINALS } from '../helpers/on-terminal.ts';
import { makeTrustPlace, type TrustWorld, trustProgram } from './trust-program.ts';
import { setRemote } from './trust-world.ts';

const SSH_KEYGEN = spawnSync('ssh-keygen', ['-?']).error === undefined;
const digest = (text: string) => createHash('sha256').update(text).digest('hex');

interface Parts {
  readonly ttl?: string;
  readonly scope?: string;
  readonly script?: string;
  readonly head?: string;
  readonly more?: string;
}

const text = ({
  ttl = '5m',
  scope = 'artifacts:read',
  script,
  head = '',
  more = '',
}: Parts = {}) => `version: 1
${head}capabilities:
  read-ci-artifacts:
    provider: local-issuer
    audience: artifact-proxy
    scope: [${scope}]
    ttl: ${ttl}
    rules:
      - allow: {repo: acme/web-app${script === undefined ? '' : `, command: {path: ./build.sh, sha256: ${script}}`}}
${more}`;

let source: string;
let place: TrustWorld;

beforeAll(async () => {
  source = await trustProgram();
});

beforeEach(() => {
  place = makeTrustPlace(source, text());
  setRemote(place.repo, 'acme/web-app');
});

/** Puts the text in place and answers the question as a person would. */
async function confirm(content: string, options = {}) {
  place.put(content);
  const start = digest(content).slice(0, 4);
  return place.call({ options }, [{ wait: 'characters of the sha256 to ', type: `${start}\n` }]);
}

/** What was shown, with the lines whole. */
const unfolded = (screen: string) => screen.replaceAll('\r\n', '\n').replaceAll(/\n +\.\.\. /g, ' ');

const reason = NO_TERMINALS ? ` (skipped: ${NO_TERMINALS})` : '';

describe.skipIf(NO_TERMINALS !== null)(`what is shown${reason}`, () => {
  test('the first version as a whole, with its repository', async () => {
    const { screen, status } = await confirm(text());
    expect(status).toBe(0);
    expect(screen).toContain('repository     acme/web-app (remote "origin" in .git/config (github.com))');
    expect(screen).toContain('replaces       nothing: no version was trusted here before');
    expect(screen).toContain('scope           artifacts:read');
  });

  test('later what changed: the widening apart, next to the question, and new capabilities as a whole', async () => {
    await confirm(text());
    const more =
      '  extra: {provider: local-issuer, audience: b, scope: [y], rules: [{allow: {environment: preview}}]}\n';
    const after = text({ ttl: '4m', scope: 'artifacts:write', more });
    const { screen } = await confirm(after);
    const shown = unfolded(screen);
    expect(shown).toContain(`replaces       ${digest(text())}\ncompared with  ${digest(text())}\n`);
    const narrowing = shown.indexOf('narrowing: what was allowed and is no more');
    const widening = shown.indexOf('WIDENING: what was not allowed before');
    expect(narrowing).toBeGreaterThan(0);
    expect(widening).toBeGreaterThan(narrowing);
    expect(shown.slice(widening)).toContain('artifacts:write');
    expect(shown.slice(widening)).toContain('"extra" is a new capability');
    expect(shown.slice(widening)).toMatch(/allow +environment=preview approval=none/);
    expect(shown.slice(narrowing, widening)).toContain('4m');
    expect(place.records().at(-1)).toMatchObject({
      event: 'trusted',
      repo: 'acme/web-app',
      replaces_sha256: digest(text()),
      widening: expect.any(Number),
    });
    expect(place.records().at(-1)?.['widening']).toBeGreaterThan(1);
    expect(readFileSync(join(place.stateDir, 'maps', `${digest(after)}.yaml`), 'utf8')).toBe(after);
  });

  test('another provider with all that it gives now', async () => {
    await place.pin(text());
    const { screen } = await confirm(`version: 1
capabilities:
  read-ci-artifacts:
    provider: aws-sts
    role_arn: arn:aws:iam::123456789012:role/admin
    region: us-east-1
    source: {type: profile, profile: everything}
    scope: [{actions: ['iam:*'], resources: ['*'], broad: allow}]
    rules: [{allow: {environment: preview}}]
`);
    const shown = unfolded(screen);
    expect(shown).toMatch(/role +arn:aws:iam::123456789012:role\/admin/);
    expect(shown).toMatch(/scope +iam:\* on \* broad=allow/);
    expect(shown).toMatch(/source +profile profile=everything/);
  });

  test('that nothing but comments and layout changed, and what is unchanged', async () => {
    await place.pin(text());
    const { screen } = await confirm(`# a comment\n${text({ scope: ' "artifacts:read" ' })}`);
    expect(screen).toContain('Nothing but comments and layout changed.');
    const more =
      '  extra: {provider: local-issuer, audience: b, scope: [y], rules: [{allow: {environment: preview}}]}\n';
    expect((await confirm(text({ more }))).screen).toContain('unchanged: read-ci-artifacts');
  });

  test('a version that was pinned without a person is no basis: all that changed since is shown', async () => {
    await place.pin(text());
    const slipped = text({ ttl: '12h' });
    place.put(slipped);
    await place.call({ options: { sha256: digest(slipped) } });
    const { screen } = await confirm(`${slipped}# a comment\n`);
    expect(screen).toContain(`compared with  ${digest(text())}`);
    expect(unfolded(screen)).toMatch(/WIDENING.*12h/s);
  });

  test.each([
    { name: 'as it was pinned', file: 'echo\n', shown: 'the file has it' },
    { name: 'that is missing', file: null, shown: 'MISSING' },
    { name: 'that differs', file: 'curl\n', shown: `DIFFERS, the file has ${digest('curl\n')}` },
  ])('a script $name', async ({ file, shown }) => {
    if (file !== null) writeFileSync(join(place.repo, 'build.sh'), file);
    const { screen } = await confirm(text({ script: digest('echo\n') }));
    const path = join(place.repo, 'build.sh');
    expect(unfolded(screen)).toContain(
      `${path} sha256 ${digest('echo\n')}: ${shown}`.replace(' sha256', '  sha256'),
    );
  });

  test('a long value whole, over several lines that can not pass for rows', async () => {
    const scopes = Array.from({ length: 60 }, (_, index) => `artifacts:read-${index}`);
    const { screen } = await confirm(text({ scope: scopes.join(', ') }));
    expect(unfolded(screen)).toContain(scopes.join(', '));
    expect(Math.max(...screen.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(79);
  });

  test('a text of wide characters, which a terminal of 80 columns does not break either', async () => {
    const { screen } = await confirm(
      text().replace('provider:', `description: ${'界'.repeat(200)}\n    provider:`),
    );
    const wide = screen.split('\r\n').map((line) => line.match(/界/g)?.length ?? 0);
    expect(wide.reduce((sum, count) => sum + count)).toBe(200);
    expect(Math.max(...wide)).toBeLessThan(40);
  });
});

describe.skipIf(NO_TERMINALS !== null || !SSH_KEYGEN)('with keys of ssh-keygen', () => {
  let alice: string;
  let head: string;
  const key = (name: string) => {
    const file = join(place.top, name);
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file]);
    return file;
  };

  beforeEach(async () => {
    alice = key('alice');
    head = `approvers: {alice: {keys: ["${readFileSync(`${alice}.pub`, 'utf8').trim()}"]}}\n`;
    await place.pin(text({ head }));
  });

  test('--key shows, asks, signs and pins', async () => {
    const { screen, status, out, error } = await confirm(text({ head, ttl: '6m' }), { key: alice });
    expect(error).toBe(null);
    expect(status).toBe(0);
    expect(unfolded(screen)).toMatch(/WIDENING.*6m/s);
    expect(out).toContain('is trusted now (signed, signed by alice: ssh_key)');
    expect(place.store().pins.map(({ grade }) => grade)).toEqual(['pinned', 'signed']);
    expect(place.records().at(-1)).toMatchObject({
      map_trust: 'signed',
      approver: 'alice',
      approval_grade: 'ssh_key',
    });
  });

  test('--key signs nothing without the right answer, and pins nothing with the wrong key', async () => {
    const content = text({ head, ttl: '6m' });
    place.put(content);
    const wrong = await place.call({ options: { key: alice } }, [{ wait: 'to sign it with', type: 'y\n' }]);
    expect(wrong.error?.message).toContain('the answer was not the first 4 characters of its sha256');
    const { error } = await confirm(content, { key: key('mallory') });
    expect(error?.message).toMatch(/the signature does not count: .* is none of the accepted keys$/);
    expect(place.store().pins).toHaveLength(1);
  });

  test('the commands of the hint, one after the other', async () => {
    place.put(text({ head, ttl: '6m' }));
    const refused = await place.call({}, []);
    expect(refused.error?.message).toContain('one of the approvers of the version before has to sign: alice');
    expect(refused.out).toContain('6m'); // shown all the same
    const file = join(place.top, 'map.json');
    writeFileSync(file, (await place.call({ options: { statement: true } })).out);
    expect(spawnSync('ssh-keygen', ['-Y', 'sign', '-n', 'capwrap-map', '-f', alice, file]).status).toBe(0);
    const { status } = await place.call({ options: { signature: `${file}.sig` } });
    expect(status).toBe(0);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      capwrap_map_trust: 1,
      path: place.map,
      repo: 'acme/web-app',
      replaces: digest(text({ head })),
      after: expect.stringMatching(/^[0-9a-f]{32}$/),
      sha256: digest(text({ head, ttl: '6m' })),
    });
  });

  test('untrust --forget asks, is recorded, and leaves a first version to be trusted', async () => {
    const start = digest(text({ head })).slice(0, 4);
    const forget = { command: 'untrust', options: { forget: true } } as const;
    const kept = await place.call(forget, [{ wait: 'to forget it: ', type: 'y\n' }]);
    expect(kept.error?.message).toBe(
      `"${place.map}" was not forgotten: the answer was not the first 4 characters of its sha256`,
    );
    expect(place.store().lineages).toHaveLength(1);

    const gone = await place.call(forget, [{ wait: 'to forget it: ', type: `${start}\n` }]);
    expect(gone.status).toBe(0);
    expect(gone.screen).toContain('approvers   alice');
    expect(place.store()).toMatchObject({ pins: [], lineages: [] });
    expect(place.records().slice(-2)).toMatchObject([
      { event: 'untrusted', forgotten: true, map_sha256: digest(text({ head })), repo: 'acme/web-app' },
      { event: 'untrusted', map_trust: 'untrusted' },
    ]);
    expect((await confirm(text({ ttl: '9m' }))).screen).toContain('no version was trusted here before');
  });

  test('a signature that can not be read', async () => {
    const file = join(place.top, 'gone.sig');
    const unread = {
      code: 'ERR_MAP_UNTRUSTED',
      message: `"${place.map}" was not pinned: ${file} can't be read as a signature`,
    };
    place.put(text({ head, ttl: '6m' }));
    expect((await place.call({ options: { signature: file } })).error).toMatchObject(unread);
    writeFileSync(file, 'x'.repeat(100_000));
    expect((await place.call({ options: { signature: file } })).error).toMatchObject(unread);
    expect((await place.call({ options: { signature: place.top } })).error?.code).toBe('ERR_MAP_UNTRUSTED');
  });
});

test.each([
  {
    command: 'trust',
    options: { signature: 'x.sig', sha256: digest('') },
    message: '"--sha256" and "--signature" can\'t be given together',
  },
  {
    command: 'trust',
    options: { list: true, key: 'k' },
    message: '"--list" and "--key" can\'t be given together',
  },
  {
    command: 'untrust',
    options: { forget: true, sha256: digest('') },
    message: '"--forget" and "--sha256" can\'t be given together',
  },
] as const)('options that contradict each other: $message', async ({ message, ...request }) => {
  expect((await place.call(request)).error).toMatchObject({ code: 'ERR_USAGE', message });
});
