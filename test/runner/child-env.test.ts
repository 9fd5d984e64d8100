import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CapwrapError } from '../../src/errors.ts';
import { buildChildEnv, type ChildEnvInput } from '../../src/runner/child-env.ts';

const LEASE = {
  leaseId: '9f8c6b6a',
  values: {
    token: { value: 'tok-123456', secret: true },
    region: { value: 'us-east-1', secret: false },
    empty: { value: '', secret: false },
  },
  defaultInject: { API_TOKEN: 'token' },
  expiresAt: new Date('2030-01-01T00:15:00Z'),
};

interface Changes {
  readonly callerEnv?: Record<string, string>;
  readonly pass?: readonly string[];
  readonly set?: Record<string, string>;
  readonly inject?: Record<string, string>;
  readonly home?: string;
  readonly deadline?: Date;
  /** The map's, with the paths that they got. */
  readonly files?: Record<string, string>;
  readonly endpoints?: ChildEnvInput['endpoints'];
}

function input(changes: Changes = {}): ChildEnvInput {
  const { callerEnv = {}, pass = [], set = {}, inject = {}, files = {}, home = null } = changes;
  return {
    callerEnv,
    capability: { name: 'publish', env: { pass, passSensitive: [], set }, inject, files },
    lease: LEASE,
    files,
    endpoints: changes.endpoints ?? null,
    taskId: 'task-1',
    makeflags: null,
    deadline: changes.deadline ?? new Date('2030-01-01T00:10:00Z'),
    isolation: { variables: { AWS_CONFIG_FILE: '/empty' }, home },
  };
}

const ALWAYS = {
  API_TOKEN: 'tok-123456',
  AWS_CONFIG_FILE: '/empty',
  CAPWRAP_LEASE_ID: '9f8c6b6a',
  CAPWRAP_CAPABILITY: 'publish',
  CAPWRAP_TASK_ID: 'task-1',
  CAPWRAP_EXPIRES_AT: '2030-01-01T00:10:00.000Z',
};

function built(changes: Changes): Record<string, string> {
  return { ...buildChildEnv(input(changes)) };
}

describe('buildChildEnv', () => {
  it('has nothing in it but what it is built from', () => {
    expect(built({})).toEqual(ALWAYS);
    expect(Object.getPrototypeOf(buildChildEnv(input()))).toBeNull();
  });

  it('has paths of files, and then nothing by default', () => {
    const { API_TOKEN: _, ...rest } = ALWAYS;
    expect(built({ files: { TOKEN_FILE: '/shm/t' } })).toEqual({ ...rest, TOKEN_FILE: '/shm/t' });
    expect(built({ files: { TOKEN_FILE: '/shm/t' }, inject: { REGION: 'region' } })).toEqual({
      ...rest,
      TOKEN_FILE: '/shm/t',
      REGION: 'us-east-1',
    });
  });

  it('has what endpoints are found by, and not what would hide them', () => {
    const endpoints = { variables: { URI: 'http://127.0.0.1:1/' }, withoutIsolation: ['AWS_CONFIG_FILE'] };
    const { AWS_CONFIG_FILE: _, ...rest } = ALWAYS;
    expect(built({ endpoints })).toEqual({ ...rest, URI: 'http://127.0.0.1:1/' });
    expect(() => built({ endpoints, set: { URI: 'mine' } })).toThrow(/"URI" comes from the lease's endpoint/);
    expect(() => built({ files: { F: '/a' }, inject: { F: 'token' } })).toThrow(/from files and from inject/);
  });

  it('passes the named variables that are set, and no other', () => {
    const callerEnv = { PATH: '/bin', SECRET: 'x', EMPTY: '', __proto__x: 'y' };
    expect(built({ callerEnv, pass: ['PATH', 'EMPTY', 'ABSENT', 'toString', 'constructor'] })).toEqual({
      ...ALWAYS,
      PATH: '/bin',
      EMPTY: '',
    });
  });

  it('is not changed by any variable of the caller that the map does not name', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (poison) => {
        const callerEnv = { ...poison, PATH: '/bin' };
        expect(built({ callerEnv, pass: ['PATH'] })).toEqual({ ...ALWAYS, PATH: '/bin' });
      }),
    );
  });

  it('lets env.set replace a passed variable', () => {
    expect(built({ callerEnv: { CI: '1' }, pass: ['CI'], set: { CI: 'true' } })).toEqual({
      ...ALWAYS,
      CI: 'true',
    });
  });

  it('keeps what is asked of its endpoints from a proxy', () => {
    const endpoints = { variables: {}, withoutIsolation: [] };
    const set = { https_proxy: 'http://proxy.example:3128' };
    const own = '127.0.0.1,localhost';
    expect(built({ endpoints })).toEqual(ALWAYS);
    expect(built({ set })).toEqual({ ...ALWAYS, ...set });
    expect(built({ set, endpoints })).toEqual({ ...ALWAYS, ...set, NO_PROXY: own, no_proxy: own });
    const list = { NO_PROXY: '.example' };
    expect(built({ set: { ...set, ...list }, endpoints })).toMatchObject({
      NO_PROXY: `.example,${own}`,
      no_proxy: `.example,${own}`,
    });
  });

  it('drops a value that old shells would run as a function', () => {
    expect(built({ callerEnv: { TERM: '() { :;}; echo' }, pass: ['TERM'] })).toEqual(ALWAYS);
  });

  it('injects by the map where it says so, else by the provider’s names', () => {
    const { API_TOKEN: _, ...rest } = ALWAYS;
    expect(built({ inject: { MY_TOKEN: 'token', REGION: 'region' } })).toEqual({
      ...rest,
      MY_TOKEN: 'tok-123456',
      REGION: 'us-east-1',
    });
  });

  it('tells the earlier of deadline and expiry', () => {
    const deadline = new Date('2030-01-01T01:00:00Z');
    expect(built({ deadline })['CAPWRAP_EXPIRES_AT']).toBe('2030-01-01T00:15:00.000Z');
  });

  it('puts a private HOME in the place of a passed one', () => {
    const changes = { callerEnv: { HOME: '/home/me' }, pass: ['HOME'], home: '/state/home' };
    expect(built(changes)['HOME']).toBe('/state/home');
  });
});

/** [what, changes, message, hint] */
const CLASHES: readonly [string, Changes, RegExp, RegExp | undefined][] = [
  [
    'env.set and the lease',
    { set: { API_TOKEN: 'x' } },
    /^"API_TOKEN" comes from inject and from env\.set$/,
    /remove API_TOKEN from env\.set/,
  ],
  [
    'env.pass and the lease, even where it is not set',
    { pass: ['API_TOKEN'] },
    /inject and from env\.pass/,
    /env\.pass/,
  ],
  [
    'env.set and isolation',
    { set: { AWS_CONFIG_FILE: '/mine' } },
    /^"AWS_CONFIG_FILE" comes from isolation/,
    /remove/,
  ],
  ['inject and isolation', { inject: { AWS_CONFIG_FILE: 'token' } }, /isolation and from inject/, /remove/],
  [
    'env.set and what describes the lease',
    { set: { CAPWRAP_LEASE_ID: 'mine' } },
    /"CAPWRAP_LEASE_ID"/,
    /remove/,
  ],
  [
    'env.set of HOME and home: private',
    { set: { HOME: '/x' }, home: '/state/home' },
    /"HOME" comes from home: private/,
    /remove/,
  ],
  [
    'a value that the lease does not have',
    { inject: { A: 'password' } },
    /"A" is to be the lease's "password"/,
    /token, region/,
  ],
  ['a value by a name of Object’s', { inject: { A: 'toString' } }, /does not have/, /token/],
  ['an empty value', { inject: { A: 'empty' } }, /does not have/, /token/],
  ['a name that is none', { set: { 'A=B': 'x' } }, /can't be the name of a variable/, undefined],
  [
    'an exported function',
    { callerEnv: { 'BASH_FUNC_x%%': '() { :; }x' }, pass: ['BASH_FUNC_x%%'], set: { 'BASH_FUNC_x%%': 'y' } },
    /can't be the name/,
    undefined,
  ],
  ['a NUL character', { set: { A: 'secret\0part' } }, /^"A" holds a NUL character$/, undefined],
  ['a value over 128 KiB', { set: { A: 'x'.repeat(131_070) } }, /^"A" is longer/, undefined],
];

describe('what can’t be built', () => {
  it.each(CLASHES)('%s', (_what, changes, message, hint) => {
    const error = (() => {
      try {
        return buildChildEnv(input(changes));
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(CapwrapError);
    const { code, message: text, hint: actual } = error as CapwrapError;
    expect(code).toBe('ERR_ENVIRONMENT');
    expect(text).toMatch(message);
    if (hint === undefined) expect(actual).toBeUndefined();
    else expect(actual).toMatch(hint);
    expect(`${text}${actual}`).not.toMatch(/tok-123456|secret|xxxx/);
  });

  it('takes a value of just under 128 KiB', () => {
    expect(built({ set: { A: 'x'.repeat(131_069) } })['A']).toHaveLength(131_069);
  });
});
