/** The installation that the token is to be of, found and checked before anything is issued. */

import { isJsonObject } from '../../../base/json-object.ts';
import { CapwrapError } from '../../../errors.ts';
import { PERMISSION_LEVELS, type PermissionLevel } from '../../../policy/providers/github-app/fields.ts';
import type { GitHubAppConfig } from '../../../policy/providers/github-app.ts';
import { ExchangeError } from '../../exchange-error.ts';
import { numberAt, textAt, valueAt } from '../../json-body.ts';
import type { JsonAnswer } from '../../json-exchange.ts';
import type { BrokerContext } from '../../provider.ts';
import { callApi, refusal } from './api.ts';
import { appJwt } from './app-jwt.ts';
import type { AppKey } from './private-key.ts';

/** From this difference on a refusal of the JWT is laid to the clock. */
const SKEW_SECONDS = 30;

export interface Installation {
  readonly id: string;
  /** How GitHub names the app where it acts: `web-deployer[bot]`. */
  readonly principal: string;
  /** The app's JWT, dated by the server's clock. */
  readonly jwt: string;
  /** Seconds that this machine's clock is ahead; null where the server did not say. */
  readonly skew: number | null;
}

/**
 * Asks for the installation, by its number or by the first repository. Where the JWT is refused and the server's `Date`
 * shows that the clocks differ, asks once more with the server's time: nothing is issued by this request, so it may be
 * repeated. Throws ERR_PROVIDER_REFUSED, ERR_PROVIDER_WRONG_PRINCIPAL, or as `callJson`.
 */
export async function findInstallation(
  config: GitHubAppConfig,
  { key }: AppKey,
  context: BrokerContext,
): Promise<Installation> {
  const path = installationPath(config);
  const ask = async (skew: number) => {
    const jwt = appJwt(config.appId, key, new Date(context.now().getTime() - skew * 1000));
    context.registerSecret('app_jwt', jwt);
    return { jwt, answer: await get(config, context, path, jwt) };
  };
  let { jwt, answer } = await ask(0);
  if (answer.status === 401 && Math.abs(answer.skew ?? 0) >= SKEW_SECONDS) {
    ({ jwt, answer } = await ask(answer.skew ?? 0));
  }
  if (answer.status !== 200) throw refusal(answer, hintFor(answer.status, config));
  const { id, principal } = checked(answer, config);
  return { id, principal, jwt, skew: answer.skew };
}

export function installationPath({ installationId, repositories }: GitHubAppConfig): string {
  return installationId === null
    ? `/repos/${repositories[0]}/installation`
    : `/app/installations/${installationId}`;
}

async function get(config: GitHubAppConfig, context: BrokerContext, path: string, jwt: string) {
  try {
    return await callApi(config, context, { method: 'GET', path, bearer: jwt });
  } catch (error) {
    const moved = error instanceof ExchangeError && [301, 302, 307, 308].includes(error.status ?? 0);
    if (!moved || config.installationId !== null) throw error;
    throw new CapwrapError(error.code, error.message, {
      hint: `"${config.repositories[0]}" may have been renamed or moved: write its present name in the map`,
    });
  }
}

function hintFor(
  status: number,
  { appId, installationId, repositories }: GitHubAppConfig,
): string | undefined {
  if (status === 401) return `is app_id "${appId}" right, and is the private key one of that app's?`;
  if (status !== 404) return undefined;
  if (installationId !== null)
    return `the app has no installation ${installationId}: leave installation_id out`;
  return `install the app on "${repositories[0]}", or correct its name in the map`;
}

function checked(
  answer: JsonAnswer,
  config: GitHubAppConfig,
): { readonly id: string; readonly principal: string } {
  const { body, who } = answer;
  const id = numberAt(body, 'id');
  const owner = textAt(body, 'account', 'login');
  if (id === null || !Number.isSafeInteger(id) || owner === null) {
    throw new CapwrapError('ERR_PROVIDER_INVALID_RESPONSE', `"${who}" answered with no installation`);
  }
  const wrong = (what: string) => new CapwrapError('ERR_PROVIDER_WRONG_PRINCIPAL', `"${who}" ${what}`);
  if (config.installationId !== null && String(id) !== config.installationId) {
    throw wrong(`answered with another installation than ${config.installationId}`);
  }
  if (!isOwner(owner, config)) {
    throw wrong(`answered with an installation of another owner than that of "${config.repositories[0]}"`);
  }
  if (!isApp(body, config.appId))
    throw wrong(`answered with an installation of another app than "${config.appId}"`);
  if ((valueAt(body, 'suspended_at') ?? null) !== null) {
    throw new CapwrapError('ERR_PROVIDER_REFUSED', `"${who}" has suspended installation ${id}`, {
      hint: 'an owner can unsuspend it in the settings of the account, under GitHub Apps',
    });
  }
  assertPermissions(valueAt(body, 'permissions'), config, who);
  const slug = textAt(body, 'app_slug') ?? '';
  return { id: String(id), principal: /^[\w-]{1,100}$/.test(slug) ? `${slug}[bot]` : `app ${config.appId}` };
}

function isOwner(owner: string, { repositories }: GitHubAppConfig): boolean {
  return (
    repositories === 'all' || repositories[0]?.toLowerCase().startsWith(`${owner.toLowerCase()}/`) === true
  );
}

/** Older servers don't tell the client id. */
function isApp(body: unknown, appId: string): boolean {
  const said = [numberAt(body, 'app_id')?.toString(), textAt(body, 'client_id')].filter(
    (text) => typeof text === 'string' && /^\d+$/.test(text) === /^\d+$/.test(appId),
  );
  return said.length === 0 || said.includes(appId);
}

/** Better than GitHub's 422, which does not say which one is missing. */
function assertPermissions(granted: unknown, { permissions, appId }: GitHubAppConfig, who: string): void {
  if (permissions === 'all' || !isJsonObject(granted)) return;
  const rank = (level: unknown) => PERMISSION_LEVELS.indexOf(level as PermissionLevel);
  const missing = Object.entries(permissions)
    .filter(([name, level]) => rank(valueAt(granted, name)) < rank(level))
    .map(([name, level]) => `${name}:${level}`);
  if (missing.length === 0) return;
  throw new CapwrapError(
    'ERR_PROVIDER_REFUSED',
    `"${who}" has given the installation less than the map asks for: it lacks ${missing.join(', ')}`,
    {
      hint: `add them to the settings of app "${appId}", and let an owner of the account accept, or ask for less`,
    },
  );
}
