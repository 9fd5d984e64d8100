/** Source `profile`: keys that stand in the AWS shared config and credentials files. */
import { dirname, join } from 'node:path';
import { shellQuote } from '../../base/shell-quote.ts';
import { homeDir } from '../../base/state.ts';
import { CapwrapError } from '../../errors.ts';
import { type Source, sourceLabel } from '../../policy/sources/index.ts';
import type { BrokerContext } from '../provider.ts';
import { toKeyProof } from './keys.ts';
import type { KeyProof } from './proof.ts';
import type { Profile, SharedConfig } from './shared-config.ts';
import { assertUnexposed, readSourceFile } from './source-file.ts';

type ProfileSource = Extract<Source, { type: 'profile' }>;

const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Reads the keys of a profile from the named files, else from `~/.aws`. AWS_PROFILE, AWS_CONFIG_FILE and the like do
 * not steer it. A profile that gets its keys elsewhere is refused with what to write instead.
 */
export async function readProfile(source: ProfileSource, context: BrokerContext): Promise<KeyProof> {
  const folder = join(homeDir(context), '.aws');
  const configPath = source.configFile ?? join(folder, 'config');
  const credentialsPath = source.credentialsFile ?? join(folder, 'credentials');
  const configFile = readSourceFile(configPath, MAX_FILE_BYTES);
  const credentialsFile = readSourceFile(credentialsPath, MAX_FILE_BYTES);
  for (const [file, path, key] of [
    [configFile, source.configFile, 'config_file'],
    [credentialsFile, source.credentialsFile, 'credentials_file'],
  ] as const) {
    if (file === null && path !== null) {
      throw new CapwrapError(
        'ERR_SOURCE_UNAVAILABLE',
        `"${path}" does not exist, which the source names as ${key}`,
        { hint: `ls -ld ${shellQuote(dirname(path))}` },
      );
    }
  }
  const { parseSharedConfig } = await import('./shared-config.ts'); // shares its code with the SDK, which is loading
  const shared = await parseSharedConfig(configFile?.text ?? '', credentialsFile?.text ?? '');

  const fromConfig = profileOf(shared.configFile, source.profile);
  const fromCredentials = profileOf(shared.credentialsFile, source.profile);
  if (!fromConfig && !fromCredentials) throw notFound(source, shared, [credentialsPath, configPath], context);
  refuseIndirect(source, { ...fromConfig, ...fromCredentials });

  // Both halves of a key come from one file; the credentials file goes first, as in the AWS tools.
  const inCredentials = fromCredentials?.['aws_access_key_id'] !== undefined;
  const keys = inCredentials ? fromCredentials : (fromConfig ?? fromCredentials);
  const file = keys === fromCredentials ? credentialsFile : configFile;
  const proof = toKeyProof(
    {
      accessKeyId: keys?.['aws_access_key_id'],
      secretAccessKey: keys?.['aws_secret_access_key'],
      sessionToken: keys?.['aws_session_token'],
    },
    {
      label: sourceLabel(source),
      longLivedAllowed: source.longLived,
      remedy: `look at profile "${source.profile}" in ${file?.path ?? credentialsPath}`,
    },
    context,
  );
  if (file) assertUnexposed(file);
  return proof;
}

function profileOf(file: SharedConfig['configFile'], name: string): Profile | undefined {
  return Object.hasOwn(file, name) ? file[name] : undefined;
}

const SSO = (_: string, name: string) => `source: {type: sso, profile: ${shellQuote(name)}}`;

const SIGN_IN = (_: string, name: string) =>
  `eval "$(aws configure export-credentials --profile ${shellQuote(name)} --format env)" before, and source: {type: env}`;

/** Settings that make a profile point elsewhere, in the order in which the AWS tools look at them. */
const INDIRECT = [
  {
    key: 'web_identity_token_file',
    why: 'gets its keys with a web identity token',
    hint: (value: string) =>
      `hand the token over directly: source: {type: web-identity-file, path: ${value}}`,
  },
  {
    key: 'source_profile',
    why: 'assumes a role of its own, which would chain two roles',
    hint: (value: string) => `name the base profile: source: {type: profile, profile: ${value}}`,
  },
  {
    key: 'credential_source',
    why: 'gets its keys from the machine or the container it runs on',
    hint: (value: string) =>
      `source: {type: ${{ EcsContainer: 'container', Environment: 'env' }[value] ?? 'instance'}}`,
  },
  { key: 'aws_access_key_id', why: null, hint: () => undefined },
  {
    key: 'credential_process',
    why: 'runs a program to get its keys, and capwrap starts no process but the command',
    hint: () =>
      'run that program before and hand its keys over: source: {type: env}; or let it issue by itself: provider: command',
  },
  {
    key: 'sso_session',
    why: 'signs in through IAM Identity Center, which is a source of its own',
    hint: SSO,
  },
  {
    key: 'sso_start_url',
    why: 'signs in through IAM Identity Center, which is a source of its own',
    hint: SSO,
  },
  {
    key: 'login_session',
    why: 'signs in through the AWS console, which this source does not do',
    hint: SIGN_IN,
  },
] as const;

function refuseIndirect(source: ProfileSource, profile: Profile): void {
  const found = INDIRECT.find(({ key }) => profile[key]);
  if (!found) {
    throw new CapwrapError('ERR_SOURCE_UNAVAILABLE', `source "${sourceLabel(source)}" holds no keys`, {
      hint: 'put temporary keys there (aws_access_key_id, aws_secret_access_key, aws_session_token), or name another profile',
    });
  }
  if (found.why === null) return;
  throw new CapwrapError('ERR_SOURCE_INVALID', `source "${sourceLabel(source)}" ${found.why}`, {
    hint: found.hint(profile[found.key] ?? '', source.profile),
  });
}

function notFound(
  source: ProfileSource,
  shared: SharedConfig,
  paths: readonly string[],
  context: BrokerContext,
): CapwrapError {
  const sections = [...Object.keys(shared.credentialsFile), ...Object.keys(shared.configFile)];
  const names = [...new Set(sections)].filter((name) => !/^(?:sso-session|services)\./.test(name));
  const steered = ['AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE'].find((name) => context.env[name]);
  const hint = steered
    ? `${steered} does not steer capwrap; name the file in the map, under source: credentials_file or config_file`
    : names.length > 0
      ? `profiles there: ${names.slice(0, 8).join(', ')}`
      : 'name a profile with temporary keys, or another source, in the map';
  return new CapwrapError(
    'ERR_SOURCE_UNAVAILABLE',
    `profile "${source.profile}" is neither in ${paths.join(' nor in ')}`,
    { hint },
  );
}
