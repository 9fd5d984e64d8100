/** The child's whole environment, built from nothing. */
import type { Lease, LocalEndpoints } from '../broker/provider.ts';
import { CapwrapError } from '../errors.ts';
import type { Capability } from '../policy/capability.ts';

export interface ChildEnvInput {
  /** The caller's variables; only the names in `env.pass` are read. */
  readonly callerEnv: Readonly<Record<string, string>>;
  readonly capability: Pick<Capability, 'name' | 'env' | 'inject' | 'files'>;
  readonly lease: Pick<Lease, 'leaseId' | 'values' | 'defaultInject' | 'expiresAt'>;
  /** Child variable → path of a file with a value of the lease. */
  readonly files: Readonly<Record<string, string>>;
  /** What the child finds local endpoints by; null where the lease has none. */
  readonly endpoints: Pick<LocalEndpoints, 'variables' | 'withoutIsolation'> | null;
  readonly taskId: string;
  /** What the child needs of the caller's MAKEFLAGS to take part in make's jobserver, or null. */
  readonly makeflags: string | null;
  /** capwrap's own end of the grant. */
  readonly deadline: Date;
  readonly isolation: {
    readonly variables: Readonly<Record<string, string>>;
    /** The private HOME, or null where the child may have the caller's. */
    readonly home: string | null;
  };
}

/**
 * The child's variables, on a null prototype: what the map passes and sets, what the lease is injected as, what
 * describes the lease, and what keeps SDKs from standing access. A caller's value that is a shell function is
 * dropped, as sudo does.
 *
 * Throws ERR_ENVIRONMENT where two sources name the same variable (only `env.set` may replace a passed one), where
 * the lease lacks a value, and for what no program can receive. Messages name variables and never show a value.
 */
export function buildChildEnv(input: ChildEnvInput): Readonly<Record<string, string>> {
  const { callerEnv, capability, lease, isolation } = input;
  const named = new Map<string, string>(); // variable → what claims it
  const env: Record<string, string> = Object.create(null);

  // 1. The map's own.
  const { pass, set } = capability.env;
  for (const name of pass) {
    named.set(name, 'env.pass');
    const value = Object.hasOwn(callerEnv, name) ? callerEnv[name] : undefined;
    if (value !== undefined && !value.startsWith('() {')) put(env, name, value);
  }
  for (const [name, value] of Object.entries(set)) {
    named.set(name, 'env.set');
    put(env, name, value);
  }

  if (input.makeflags !== null && !named.has('MAKEFLAGS')) put(env, 'MAKEFLAGS', input.makeflags);

  // 2. What capwrap adds. It replaces nothing, so that a map can't half-overrule it unnoticed.
  const add = (source: string, name: string, value: string) => {
    const claimed = named.get(name);
    if (claimed !== undefined) {
      throw new CapwrapError('ERR_ENVIRONMENT', `"${name}" comes from ${source} and from ${claimed}`, {
        hint: `remove ${name} from ${claimed} of "${capability.name}"`,
      });
    }
    named.set(name, source);
    put(env, name, value);
  };
  for (const [name, value] of Object.entries(injectedValues(capability, lease))) add('inject', name, value);
  for (const [name, value] of Object.entries(input.files)) add('files', name, value);
  const { variables = {}, withoutIsolation = [] } = input.endpoints ?? {};
  for (const [name, value] of Object.entries(variables)) add("the lease's endpoint", name, value);
  for (const [name, value] of Object.entries(isolation.variables)) {
    if (!withoutIsolation.includes(name)) add('isolation', name, value);
  }
  if (input.endpoints !== null) keepFromProxies(env);
  const ends = new Date(Math.min(input.deadline.getTime(), lease.expiresAt.getTime()));
  add('the lease', 'CAPWRAP_LEASE_ID', lease.leaseId);
  add('the lease', 'CAPWRAP_CAPABILITY', capability.name);
  add('the lease', 'CAPWRAP_TASK_ID', input.taskId);
  add('the lease', 'CAPWRAP_EXPIRES_AT', ends.toISOString());

  // 3. A private HOME takes the place of a passed one.
  if (isolation.home !== null) {
    if (named.get('HOME') === 'env.pass') named.delete('HOME');
    add('home: private', 'HOME', isolation.home);
  }
  return Object.freeze(env);
}

/**
 * A proxy that the map passes would get what is asked of a server on this machine, with the token for it. Programs read
 * either spelling; a list that is there is kept.
 */
function keepFromProxies(env: Record<string, string>): void {
  if (!Object.keys(env).some((name) => /^(?:https?|all)_proxy$/i.test(name))) return;
  const { NO_PROXY: upper, no_proxy: lower } = env;
  for (const [name, list] of Object.entries({ NO_PROXY: upper ?? lower, no_proxy: lower ?? upper })) {
    put(env, name, [...(list ? [list] : []), '127.0.0.1', 'localhost'].join(','));
  }
}

/** Child variable → value, by the map's `inject` or else, where it has no `files` either, the provider's standard names. */
function injectedValues(
  { inject, files }: Pick<Capability, 'inject' | 'files'>,
  lease: ChildEnvInput['lease'],
): Record<string, string> {
  const mapped = Object.keys(inject).length + Object.keys(files).length > 0;
  const injections = mapped ? inject : lease.defaultInject;
  const values: Record<string, string> = Object.create(null);
  for (const [name, key] of Object.entries(injections)) {
    const value = Object.hasOwn(lease.values, key) ? lease.values[key]?.value : undefined;
    if (!value) {
      const known = Object.keys(lease.values).join(', ');
      throw new CapwrapError(
        'ERR_ENVIRONMENT',
        `"${name}" is to be the lease's "${key}", which it does not have`,
        {
          hint: `inject one of: ${known}`,
        },
      );
    }
    values[name] = value;
  }
  return values;
}

/** Linux refuses a longer string (`MAX_ARG_STRLEN`) with an error that names neither variable nor limit. */
const LONGEST_ENTRY = 128 * 1024 - 1;

function put(env: Record<string, string>, name: string, value: string): void {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw new CapwrapError('ERR_ENVIRONMENT', `"${name}" can't be the name of a variable`);
  }
  if (value.includes('\0')) {
    throw new CapwrapError('ERR_ENVIRONMENT', `"${name}" holds a NUL character`);
  }
  if (Buffer.byteLength(name) + 1 + Buffer.byteLength(value) > LONGEST_ENTRY) {
    throw new CapwrapError(
      'ERR_ENVIRONMENT',
      `"${name}" is longer than the 128 KiB that a variable can have`,
    );
  }
  env[name] = value;
}
