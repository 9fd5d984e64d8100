/**
 * The shape of the capability map: the one source of validation, of the raw types and of the JSON Schema.
 * It only looks; defaults, durations and paths are worked out in normalise.ts.
 */
import * as v from 'valibot';
import { PROVIDERS } from './providers/index.ts';
import { type approval, type approver, approvers, type limits } from './schema-approval.ts';
import {
  duration,
  keys,
  listOf,
  mapping,
  maybe,
  must,
  oneOf,
  prose,
  text,
  variable,
  variableValue,
} from './schema-fields.ts';
import { policyTest, rule } from './schema-rules.ts';
import { SOURCES } from './sources/index.ts';

const CAPABILITY_NAME = /^[a-z][a-z0-9-]{0,62}$/;

/** Providers that the documentation names and that this version does not have. */
export const OTHER_PROVIDERS: readonly string[] = ['vault', 'gcp', 'github-app', 'oauth2', 'command'].filter(
  (name) => !PROVIDERS.some((policy) => policy.name === name),
);
/** Sources likewise. */
export const OTHER_SOURCES: readonly string[] = ['sso', 'container', 'instance'].filter(
  (type) => !SOURCES.some((policy) => policy.type === type),
);

const names = v.array(variable, 'must be a list of variable names');

const env = mapping(
  keys({
    pass: maybe(
      names,
      'Variables handed through from the caller where they are set; added to those of defaults',
    ),
    pass_sensitive: maybe(
      names,
      'Those of pass that load code, reach an agent socket or look like a credential, named again to allow them',
    ),
    set: maybe(
      mapping(v.record(variable, variableValue), 'Variables and their values'),
      'Variables with fixed values; never a credential',
    ),
  }),
  "The child's environment, which is built from nothing",
);

/** What a capability and `defaults` can both say. */
const shared = {
  ttl: maybe(duration, 'Lifetime of a grant that asks for none; default 15m'),
  max_ttl: maybe(duration, 'The longest lifetime that may be asked for; default: ttl'),
  ttl_over: maybe(
    oneOf('shorten', 'deny'),
    'What happens to a request for more than the cap; default shorten',
  ),
  justification: maybe(oneOf('required', 'optional'), 'Whether a run must say why; default optional'),
  env: maybe(env, "The child's environment"),
  home: maybe(
    oneOf('inherit', 'private'),
    'private: an empty HOME that is removed afterwards; default inherit',
  ),
  terminal: maybe(
    oneOf('masked', 'direct'),
    'direct: the command has the real terminal, for full-screen programs; nothing is masked there. Default masked',
  ),
  on_leak: maybe(
    oneOf('mask', 'fail'),
    'fail: a secret in the output also ends the lease and the command; default mask',
  ),
  kill_after: maybe(duration, 'Time between TERM and KILL when the time limit is reached; default 10s'),
};

const common = {
  description: maybe(prose, 'What the capability is for, shown by "capwrap list" and to approvers'),
  ...shared,
  environment: maybe(
    text(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, 'must be a name: letters, digits, . _ / -', 128),
    'Fixes the environment; otherwise it is what the caller claims',
  ),
  rules: must(listOf(rule), 'Who may use the capability, where and for which command'),
  tests: maybe(v.array(policyTest, 'must be a list'), 'Requests and the decisions they must get'),
};

/** A value of the lease by a name that the map or the issuer chose. */
const leaseValue = text(
  /^[A-Za-z_][A-Za-z0-9_.-]*$/,
  'must be the name of a value of the lease: letters, digits, _ . -',
  128,
);

/** How the lease reaches the child. */
function delivery(leaseValues: readonly [string, ...string[]] | null, injectHelp: string) {
  const value: v.GenericSchema<string> = leaseValues === null ? leaseValue : oneOf(...leaseValues);
  return {
    inject: maybe(mapping(v.record(variable, value), 'Variable and the value it gets'), injectHelp),
    files: maybe(
      mapping(v.record(variable, value), 'Variable and the value in its file'),
      'Child variables that get the path of a file (mode 0600, gone with the lease), and the values in those files; without inject nothing else is filled',
    ),
  };
}

type Alternatives<Policies extends readonly unknown[]> = {
  readonly [Index in keyof Policies]: Policies[Index] extends {
    readonly fields: infer Fields extends v.ObjectEntries;
  }
    ? v.StrictObjectSchema<Fields & ReturnType<typeof delivery> & typeof common, string>
    : never;
};

const alternatives = PROVIDERS.map(({ fields, leaseValues, injectHelp }) =>
  keys({ ...fields, ...delivery(leaseValues, injectHelp), ...common }),
);
// The same schemas in the same order; `map` makes an array of what was a tuple.
const capabilitySchema = v.variant('provider', alternatives as unknown as Alternatives<typeof PROVIDERS>);

const defaultsSchema = keys(shared);

export const mapSchema = mapping(
  keys({
    version: v.pipe(v.literal(1, 'must be 1'), v.description('Version of the map format')),
    approvers: maybe(approvers, 'Who may sign approvals, by name'),
    defaults: maybe(mapping(defaultsSchema, 'Defaults'), 'What capabilities fall back on'),
    capabilities: must(
      mapping(
        v.pipe(
          v.record(
            v.pipe(
              v.string(),
              v.regex(
                CAPABILITY_NAME,
                'must be a capability name: a lower-case letter, then up to 62 of a-z, 0-9, -',
              ),
            ),
            mapping(capabilitySchema, 'A capability'),
          ),
          v.minEntries(1, 'must name at least one capability'),
        ),
        'Capabilities by name',
      ),
      'Capabilities by name',
    ),
  }),
  'A capability map of capwrap',
);

export type RawCapability = v.InferOutput<typeof capabilitySchema>;
/** A capability with only those of its keys that hold what the schema wants; the others have their fault already. */
export type SoundCapability = RawCapability extends infer T
  ? T extends RawCapability
    ? Pick<T, 'provider'> & Partial<T>
    : never
  : never;
export type RawDefaults = v.InferOutput<typeof defaultsSchema>;
export type RawEnv = v.InferOutput<typeof env>;
export type RawRule = v.InferOutput<typeof rule>;
export type RawConditions = NonNullable<RawRule['allow']>;
export type RawTest = v.InferOutput<typeof policyTest>;
export type RawApproval = v.InferOutput<typeof approval>;
export type RawApprover = v.InferOutput<typeof approver>;
export type RawLimits = v.InferOutput<typeof limits>;
