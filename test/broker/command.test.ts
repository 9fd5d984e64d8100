/** Provider `command` with real programs: what they are told, what is believed of them, and how leases end. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { endLease } from '../../src/broker/end-lease.ts';
import { issueLease, LeaseRefused } from '../../src/broker/lease.ts';
import { command } from '../../src/broker/providers/command/index.ts';
import type { CommandConfig } from '../../src/policy/providers/command.ts';
import { brokerContext, errorOf, LEASE_ID } from '../helpers/aws.ts';
import { tempDir } from '../helpers/cli.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { commandRequest, ISSUER, scriptConfig, startScriptIssuer } from '../issuers/command/fixture.ts';

const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();

/** A config whose programs are these shell scripts. */
function scripts(
  texts: { readonly issue: string; readonly end?: string; readonly probe?: string },
  changes: Partial<CommandConfig> = {},
): CommandConfig {
  const folder = tempDir();
  const write = (name: string, text: string | undefined) => {
    if (text === undefined) return null;
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return [path];
  };
  return scriptConfig(folder, {
    argv: write('issue', texts.issue) ?? [],
    end: write('end', texts.end),
    probe: write('probe', texts.probe),
    principal: null,
    programEnv: { pass: [], set: {} },
    ...changes,
  });
}

/** A program that prints this. */
function prints(document: unknown): string {
  return `cat <<'END'\n${typeof document === 'string' ? document : JSON.stringify(document)}\nEND`;
}

const TOKEN = 'tok-0123456789abcdef';
const lease = (more: Record<string, unknown> = {}) => ({
  capwrap_lease: 1,
  token: TOKEN,
  expires_at: inMinutes(10),
  ...more,
});

describe('issue', () => {
  test('a lease of the program, ended and seen dead', async () => {
    const issuer = startScriptIssuer();
    const context = brokerContext();
    const request = commandRequest(scriptConfig(issuer.folder));
    const issued = await issueLease(command, request, context);
    const [token = ''] = issuer.secrets();
    expect(issued).toMatchObject({
      leaseId: LEASE_ID,
      provider: 'command',
      values: { token: { value: token, secret: true }, user: { value: 'agent', secret: false } },
      principal: 'agent',
      scope: ['ledger:read'],
      handle: { id: expect.stringMatching(/^[0-9a-f]{16}$/), capwrap_lease_id: LEASE_ID },
    });
    expect(context.registered).toContainEqual({ name: 'token', value: token });
    expect(await endLease(command, issued, context)).toEqual({
      outcome: 'revoked_verified',
      end: `"${ISSUER}" ended with status 0`,
      probe: `"${ISSUER}" says dead`,
      error: null,
    });
    expect(issuer.live()).toBe(0);
  });

  test('tells the program what is asked for, and gives it nothing of the caller but what the map names', async () => {
    const config = scripts(
      { issue: `cat >asked; env >env; pwd >folder; ${prints(lease())}` },
      {
        programEnv: {
          pass: ['LEDGER_TOKEN', 'HOME', 'UNSET', 'A_FUNCTION'],
          set: { LEDGER_URL: 'https://ledger' },
        },
      },
    );
    const context = brokerContext({
      HOME: '/home/x',
      LEDGER_TOKEN: 'proof-0123456789',
      AWS_SECRET_ACCESS_KEY: 'poison',
      PATH: '/poison',
      A_FUNCTION: '() { :; }',
    });
    const request = commandRequest(config);
    await issueLease(command, request, context);
    const read = (name: string) => readFileSync(join(config.folder, name), 'utf8');
    expect(JSON.parse(read('asked'))).toEqual({
      capwrap_request: 1,
      lease_id: LEASE_ID,
      capability: 'read-ledger',
      ttl_seconds: 900,
      deadline: request.deadline.toISOString(),
      scope: ['ledger:read'],
      principal: null,
      actor: 'workstation-user',
      task_id: 'task-1',
      approval: 'none',
    });
    expect(read('folder').trim()).toBe(config.folder);
    const names = read('env')
      .split('\n')
      .filter((line) => !/^(?:_|PWD|OLDPWD|SHLVL)=|^$/.test(line));
    expect(names.sort()).toEqual(
      [
        `CAPWRAP_CAPABILITY=read-ledger`,
        `CAPWRAP_DEADLINE=${request.deadline.toISOString()}`,
        `CAPWRAP_LEASE_ID=${LEASE_ID}`,
        'CAPWRAP_TTL_SECONDS=900',
        'HOME=/home/x',
        'LEDGER_TOKEN=proof-0123456789',
        'LEDGER_URL=https://ledger',
        'PATH=/bin:/usr/bin',
      ].sort(),
    );
    expect(context.registered).toContainEqual({ name: 'LEDGER_TOKEN', value: 'proof-0123456789' });
  });

  test('what the program does not say is what was asked for, or unknown', async () => {
    const issued = await issueLease(
      command,
      commandRequest(scripts({ issue: prints(lease()) })),
      brokerContext(),
    );
    expect(issued).toMatchObject({ principal: 'unknown', scope: ['ledger:read'], handle: null });
  });

  test('keys of AWS need no names in the map', async () => {
    const keys = {
      Version: 1,
      AccessKeyId: 'ASIAQNXAMPLEKEY12345',
      SecretAccessKey: 'wJalrXUtnFEMI/K7MDENG',
      SessionToken: 'IQoJb3JpZ2luX2Vj',
      Expiration: inMinutes(10),
    };
    const request = commandRequest(scripts({ issue: prints(keys) }));
    const issued = await issueLease(
      command,
      { ...request, capability: { ...request.capability, inject: {} } },
      brokerContext(),
    );
    expect(issued.facts).toEqual({ access_key_id: keys.AccessKeyId });
    expect(issued.defaultInject).toMatchObject({ AWS_SESSION_TOKEN: 'session_token' });
  });
});

describe('a lease that is not the one that was asked for is ended', () => {
  test.each([
    ['no expiry', lease({ expires_at: undefined }), {}, 'ERR_PROVIDER_EXPIRY', /without an expiry$/],
    [
      'a long life',
      lease({ expires_at: inMinutes(60) }),
      {},
      'ERR_PROVIDER_EXPIRY',
      /longer than the grant of 900 s$/,
    ],
    [
      'a life that is over',
      lease({ expires_at: inMinutes(-1) }),
      {},
      'ERR_PROVIDER_EXPIRY',
      /had expired at/,
    ],
    [
      'more scope',
      lease({ scope: ['ledger:read', 'ledger:write'] }),
      {},
      'ERR_PROVIDER_SCOPE',
      /: ledger:write$/,
    ],
    [
      'another principal',
      lease({ principal: 'root' }),
      { principal: 'agent' },
      'ERR_PROVIDER_WRONG_PRINCIPAL',
      /for "root", not for "agent"$/,
    ],
    [
      'no principal',
      lease(),
      { principal: 'agent' },
      'ERR_PROVIDER_WRONG_PRINCIPAL',
      /without naming its principal, not for "agent"$/,
    ],
    [
      'a long-lived key',
      { Version: 1, AccessKeyId: 'AKIAIOSFODNN7EXAMPLE', SecretAccessKey: TOKEN, Expiration: inMinutes(10) },
      {},
      'ERR_PROVIDER_INVALID_RESPONSE',
      /long-lived access key/,
    ],
    [
      'a key that nobody knows',
      lease({ more: TOKEN }),
      {},
      'ERR_PROVIDER_INVALID_RESPONSE',
      /a key that is none of/,
    ],
    [
      'a secret as principal',
      lease({ principal: TOKEN }),
      {},
      'ERR_PROVIDER_INVALID_RESPONSE',
      /in a public part/,
    ],
  ] as const)('%s', async (_, document, changes, code, text) => {
    const config = scripts({ issue: prints(document), end: 'cat >ended' }, changes);
    const context = brokerContext();
    const error = await errorOf(() => issueLease(command, commandRequest(config), context));
    expect({ code: error.code, message: error.message }).toEqual({
      code,
      message: expect.stringMatching(text),
    });
    expect(error).toBeInstanceOf(LeaseRefused);
    expect((error as LeaseRefused).revocation.outcome).toBe('revoked_unverified');
    const ended = JSON.parse(readFileSync(join(config.folder, 'ended'), 'utf8'));
    expect(ended).toMatchObject({ capwrap_end: 1, lease_id: LEASE_ID });
    expect(ended.lease).toEqual(JSON.parse(JSON.stringify(document)));
    expect(context.registered.map(({ value }) => value)).toContain(TOKEN);
    expectNowhere([TOKEN], {
      texts: [inspect(error, { depth: 12, showHidden: true }), JSON.stringify(error)],
    });
  });

  test('values that reach nobody', async () => {
    const request = commandRequest(scripts({ issue: prints(lease()), end: ':' }));
    const bare = { ...request, capability: { ...request.capability, inject: {} } };
    const error = await errorOf(() => issueLease(command, bare, brokerContext()));
    expect(error).toMatchObject({ code: 'ERR_MAP_INVALID', hint: 'inject: {NAME: token}' });
    const filed = { ...bare, capability: { ...bare.capability, files: { LEDGER_FILE: 'token' } } };
    expect(await issueLease(command, filed, brokerContext())).toMatchObject({ leaseId: LEASE_ID });
  });
});

describe('a program that prints no lease', () => {
  const UNSEEN = /; it may have issued a credential unseen$/;
  test.each([
    ['is refused', 'exit 77', 'ERR_PROVIDER_REFUSED', /ended with status 77$/, false],
    ['should be asked later', 'exit 75', 'ERR_PROVIDER_UNAVAILABLE', /ended with status 75$/, false],
    ['fails', 'echo secret-words >&2; exit 3', 'ERR_PROVIDER_UNAVAILABLE', UNSEEN, true],
    ['is killed', 'kill -KILL $$', 'ERR_PROVIDER_UNAVAILABLE', /was ended by SIGKILL; /, true],
    ['prints nothing', ':', 'ERR_PROVIDER_INVALID_RESPONSE', UNSEEN, true],
    ['prints words', `echo ${TOKEN}`, 'ERR_PROVIDER_INVALID_RESPONSE', UNSEEN, true],
    ['prints half a lease', 'echo \'{"token":"tok-01234\'', 'ERR_PROVIDER_INVALID_RESPONSE', UNSEEN, true],
    [
      'prints without end',
      'exec cat /dev/zero',
      'ERR_PROVIDER_INVALID_RESPONSE',
      /more than 262144 bytes/,
      true,
    ],
    ['takes too long', 'exec sleep 100', 'ERR_PROVIDER_TIMEOUT', /printed no lease within 0\.2 s/, true],
  ] as const)('%s', async (_, issue, code, text, unseen) => {
    const request = commandRequest(scripts({ issue }, { timeout: 0.2 }));
    const error = await errorOf(() => issueLease(command, request, brokerContext()));
    expect({ code: error.code, message: error.message }).toEqual({
      code,
      message: expect.stringMatching(text),
    });
    expect(error.issuedUntil).toEqual(unseen ? request.deadline : undefined);
    expectNowhere([TOKEN, 'tok-01234', 'secret-words'], { texts: [inspect(error, { depth: 12 })] });
  });

  test('is not there', async () => {
    const request = commandRequest(scriptConfig(tempDir(), { argv: ['/nonexistent/x'] }));
    const error = await errorOf(() => issueLease(command, request, brokerContext()));
    expect(error).toMatchObject({
      code: 'ERR_PROVIDER_UNAVAILABLE',
      message: `"/nonexistent/x" can't be started (ENOENT)`,
      issuedUntil: undefined,
    });
  });

  test('is killed when the run is', async () => {
    const request = commandRequest(scripts({ issue: 'exec sleep 100' }));
    const context = brokerContext({}, { signal: AbortSignal.timeout(100) });
    const error = await errorOf(() => issueLease(command, request, context));
    expect(error).toMatchObject({ code: 'ERR_PROVIDER_TIMEOUT', issuedUntil: request.deadline });
  });
});

describe('end', () => {
  const says = (state: string) => prints({ state });
  /** Alive until it is ended. */
  const truthful = `[ -e ended ] && state=dead || state=alive; echo "{\\"state\\":\\"$state\\"}"`;

  test.each([
    ['nothing ends it', {}, 'expires', null, null],
    ['a program ends it', { end: ':' }, 'revoked_unverified', 'status 0', null],
    [
      'a program ends it and says so',
      { end: prints({ answer: 'ended' }) },
      'revoked_unverified',
      'status 0',
      null,
    ],
    [
      'a program says that nothing can',
      { end: prints({ answer: 'not_revocable' }) },
      'expires',
      'nothing can',
      null,
    ],
    ['a program says something else', { end: 'echo done' }, 'revoke_failed', 'status 0', 'is no answer'],
    ['a program fails', { end: 'exit 1' }, 'revoke_failed', 'status 1', 'ended with status 1'],
    ['it is seen', { end: 'touch ended', probe: truthful }, 'revoked_verified', 'status 0', null],
    [
      'it is seen although it failed',
      { end: 'touch ended; exit 1', probe: truthful },
      'revoked_verified',
      'status 1',
      null,
    ],
    ['it was dead before', { end: ':', probe: says('dead') }, 'revoked_unverified', 'status 0', null],
    ['its time was over', { end: ':', probe: says('expired') }, 'expired', null, null],
    ['a state that is none', { end: ':', probe: says('revoked') }, 'revoked_unverified', 'status 0', null],
    ['a probe that fails', { end: ':', probe: 'exit 1' }, 'revoked_unverified', 'status 0', null],
  ] as const)('%s', async (_, programs, outcome, end, error) => {
    const context = brokerContext();
    const config = scripts({ issue: prints(lease()), ...programs });
    const issued = await issueLease(command, commandRequest(config), context);
    const revocation = await endLease(command, issued, context);
    expect(revocation).toMatchObject({
      outcome,
      end: end === null ? null : expect.stringContaining(end),
      error: error === null ? null : expect.stringContaining(error),
    });
    expectNowhere([TOKEN], { texts: [JSON.stringify(revocation)] });
  });

  test('by the handle alone, in another process', async () => {
    const issuer = startScriptIssuer();
    const config = scriptConfig(issuer.folder);
    const { handle } = await issueLease(command, commandRequest(config), brokerContext());
    const kept = JSON.parse(JSON.stringify(handle));
    expect(await command.endByHandle?.(kept, config, brokerContext(), LEASE_ID)).toMatchObject({
      outcome: 'revoked_verified',
    });
    expect(issuer.live()).toBe(0);
    const unendable = scriptConfig(issuer.folder, { end: null, probe: null });
    expect(await command.endByHandle?.(kept, unendable, brokerContext(), LEASE_ID)).toMatchObject({
      outcome: 'expires',
    });
  });

  test('the handle has nothing of the credential, and the program is told which lease it was', async () => {
    const config = scripts({ issue: prints(lease({ handle: { id: 'h-1' } })), end: 'cat >ended; env >env' });
    const { handle } = await issueLease(command, commandRequest(config), brokerContext());
    expect(handle).toEqual({ id: 'h-1', capwrap_lease_id: LEASE_ID });
    await command.endByHandle?.(handle ?? {}, config, brokerContext(), LEASE_ID);
    expect(JSON.parse(readFileSync(join(config.folder, 'ended'), 'utf8'))).toEqual({
      capwrap_end: 1,
      lease_id: LEASE_ID,
      lease: null,
      handle: { id: 'h-1' },
    });
    expect(readFileSync(join(config.folder, 'env'), 'utf8')).toContain(`CAPWRAP_LEASE_ID=${LEASE_ID}\n`);
  });
});

test('the preview runs nothing', () => {
  const config = scriptConfig('/nonexistent', { argv: ['/nonexistent/x', 'issue'] });
  expect(command.preview(commandRequest(config))).toMatchObject({
    argv: ['/nonexistent/x', 'issue'],
    timeout_seconds: 10,
    request: { capwrap_request: 1, ttl_seconds: 900, scope: ['ledger:read'] },
  });
});
