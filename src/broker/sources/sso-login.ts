/**
 * What `aws sso login` has left: the profile's place at IAM Identity Center, and the token of the sign-in.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { objectIn } from '../../base/json-object.ts';
import { shellQuote } from '../../base/shell-quote.ts';
import { homeDir } from '../../base/state.ts';
import { CapwrapError } from '../../errors.ts';
import { type Source, sourceLabel } from '../../policy/sources/index.ts';
import { registerSecrets, textAt } from '../json-body.ts';
import type { BrokerContext } from '../provider.ts';
import type { Profile } from './shared-config.ts';
import { assertUnexposed, readSourceFile } from './source-file.ts';

type SsoSource = Extract<Source, { type: 'sso' }>;

const MAX_FILE_BYTES = 1024 * 1024;

export interface SsoLogin {
  readonly accessToken: string;
  readonly region: string;
  readonly accountId: string;
  readonly roleName: string;
}

/** The command that signs in anew. */
export function signIn({ profile }: SsoSource): string {
  return `aws sso login --profile ${shellQuote(profile)}`;
}

/**
 * Reads the profile and the cached token. It is not refreshed: that is for the person, and for `aws sso login`. Throws
 * ERR_SOURCE_UNAVAILABLE where nobody has signed in, ERR_SOURCE_INVALID for a sign-in that is over or exposed.
 */
export async function readSsoLogin(source: SsoSource, context: BrokerContext): Promise<SsoLogin> {
  const label = sourceLabel(source);
  const folder = join(homeDir(context), '.aws');
  const path = source.configFile ?? join(folder, 'config');
  const file = readSourceFile(path, MAX_FILE_BYTES);
  const { parseSharedConfig } = await import('./shared-config.ts');
  const { configFile } = await parseSharedConfig(file?.text ?? '', '');
  const profile = Object.hasOwn(configFile, source.profile) ? configFile[source.profile] : undefined;
  if (profile === undefined) {
    throw new CapwrapError('ERR_SOURCE_UNAVAILABLE', `profile "${source.profile}" is not in ${path}`, {
      hint: `aws configure sso --profile ${shellQuote(source.profile)}`,
    });
  }
  const place = placeOf(label, source, profile, configFile);
  const cache = join(source.cacheDir ?? join(folder, 'sso', 'cache'), `${sha1(place.cacheKey)}.json`);
  const { cacheKey: _, startUrl, ...rest } = place;
  return { accessToken: cachedToken(label, source, cache, startUrl, context), ...rest };
}

interface SsoPlace extends Omit<SsoLogin, 'accessToken'> {
  readonly startUrl: string;
  /** The name of the session, or in profiles of the older form the start URL. */
  readonly cacheKey: string;
}

function placeOf(
  label: string,
  source: SsoSource,
  profile: Profile,
  sections: Readonly<Record<string, Profile>>,
): SsoPlace {
  const session = profile['sso_session'];
  const key = `sso-session.${session}`;
  const login = session === undefined ? profile : Object.hasOwn(sections, key) ? sections[key] : undefined;
  const read = (from: Profile | undefined, name: string, form: RegExp) => {
    const value = from?.[name];
    if (value !== undefined && form.test(value)) return value;
    const where = from === profile ? `profile "${source.profile}"` : `sso-session "${session}"`;
    throw new CapwrapError('ERR_SOURCE_INVALID', `source "${label}" finds no usable ${name} in ${where}`, {
      hint: `aws configure sso --profile ${shellQuote(source.profile)}`,
    });
  };
  const startUrl = read(login, 'sso_start_url', /^https:\/\/[\x21-\x7e]+$/);
  return {
    startUrl,
    cacheKey: session ?? startUrl,
    region: read(login, 'sso_region', /^[a-z]{2,}(?:-[a-z]+)+-\d+$/),
    accountId: read(profile, 'sso_account_id', /^\d{12}$/),
    roleName: read(profile, 'sso_role_name', /^[\w+=,.@-]{1,64}$/),
  };
}

function cachedToken(
  label: string,
  source: SsoSource,
  path: string,
  startUrl: string,
  context: BrokerContext,
): string {
  const hint = signIn(source);
  const file = readSourceFile(path, MAX_FILE_BYTES);
  if (file === null) {
    throw new CapwrapError('ERR_SOURCE_UNAVAILABLE', `source "${label}" is not signed in`, { hint });
  }
  const cached = objectIn(file.text);
  registerSecrets(
    cached,
    {
      sso_access_token: ['accessToken'],
      sso_refresh_token: ['refreshToken'],
      sso_client_secret: ['clientSecret'],
    },
    context,
  );
  assertUnexposed(file);
  const token = textAt(cached, 'accessToken');
  const invalid = (what: string) =>
    new CapwrapError('ERR_SOURCE_INVALID', `source "${label}" ${what}`, { hint });
  if (token === null || !/^[\x21-\x7e]+$/.test(token)) throw invalid('holds no token of a sign-in');
  if ((textAt(cached, 'startUrl') ?? startUrl) !== startUrl)
    throw invalid('is signed in at another start URL');
  // Old versions of the AWS CLI write "UTC" for "Z".
  const end = Date.parse((textAt(cached, 'expiresAt') ?? '').replace(/UTC$/, 'Z'));
  if (Number.isNaN(end)) throw invalid('holds a sign-in without an end');
  if (end <= context.now().getTime())
    throw invalid(`holds a sign-in that expired at ${new Date(end).toISOString()}`);
  return token;
}

/** By which the AWS tools name the file; no digest of anything secret. */
function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
