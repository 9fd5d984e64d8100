/** The provider `gcp` where Google refuses, answers something else than was asked for, or has another time. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GcpConfig } from '../../src/policy/providers/gcp.ts';
import { errorOf } from '../helpers/aws.ts';
import { expectNowhere } from '../helpers/secrets.ts';
import { ACCOUNT, AUDIENCE, BUCKET, CLOUD_PLATFORM, STORAGE_SCOPE } from '../issuers/gcp/checks.ts';
import type { GcpServerOptions } from '../issuers/gcp/server.ts';
import { type Changes, type GcpSetup, gcpSetup, issueFrom } from '../issuers/gcp/setup.ts';

const VIEWER = { resource: BUCKET, permissions: ['inRole:roles/storage.objectViewer'], condition: null };

let setup: GcpSetup;

async function start(options: Partial<GcpServerOptions> = {}): Promise<GcpSetup> {
  await setup?.server.stop();
  setup = await gcpSetup(options);
  return setup;
}

beforeEach(async () => void (await start()));
afterEach(() => setup.server.stop());

const issue = (changes?: Changes) => issueFrom(setup, changes);

describe('refusals of Google', () => {
  const accounts = { [ACCOUNT]: { issuers: [] } };
  it.each<[string, Partial<GcpServerOptions>, Changes, RegExp, RegExp]>([
    [
      'a provider that is not there',
      {},
      { config: { audience: AUDIENCE.replace('github', 'gitlab') } },
      /refused with 400 \(invalid_target\)$/,
      /^audience in the map .*providers describe gitlab --workload-identity-pool=ci-pool --location=global --project=123456789012$/,
    ],
    [
      'a proof of another issuer',
      {},
      { claims: { iss: 'https://gitlab.com' } },
      /\(invalid_grant\)$/,
      /subject "repo:acme\/web-app:ref:refs\/heads\/main", audience "https:\/\/iam.*issuer "https:\/\/gitlab\.com"/,
    ],
    [
      'a proof that lives too long',
      {},
      { claims: { exp: Math.floor(Date.now() / 1000) + 49 * 3600 } },
      /\(invalid_grant\)$/,
      /compare issuer/,
    ],
    [
      'an attribute condition',
      { condition: () => false },
      { claims: { sub: 'a\u202eb\u001b[31m' } },
      /\(unauthorized_client\)$/,
      /attribute condition .*subject "a\\u\{202e\}b\\u\{1b\}\[31m"/,
    ],
    [
      'an account that the identity may not speak as',
      { accounts },
      {},
      /refused with 403 \(PERMISSION_DENIED\)$/,
      /^gcloud iam service-accounts add-iam-policy-binding previews@acme-web\.iam\.gserviceaccount\.com --role=roles\/iam\.workloadIdentityUser --member=principal:\/\/iam\.googleapis\.com\/projects\/123456789012\/locations\/global\/workloadIdentityPools\/ci-pool\/subject\/repo:acme\/web-app:ref:refs\/heads\/main/,
    ],
    [
      'an account that is not there',
      { accounts: {} },
      {},
      /\(NOT_FOUND\)$/,
      /service-accounts describe previews@/,
    ],
    [
      'an account that is disabled',
      { accounts: { [ACCOUNT]: { disabled: true } } },
      {},
      /\(FAILED_PRECONDITION\)$/,
      /is the account disabled\?/,
    ],
    [
      'more than an hour',
      {},
      { ttl: 7200 },
      /\(INVALID_ARGUMENT\)$/,
      /allowServiceAccountCredentialLifetimeExtension/,
    ],
  ])('%s', async (_, options, changes, message, hint) => {
    await start(options);
    const error = await errorOf(() => issue(changes));
    expect(error.code).toBe('ERR_PROVIDER_REFUSED');
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
    const lived = setup.server.live() > 0;
    expect(error.issuedUntil !== undefined, 'what was issued before is said').toBe(lived);
    expectNowhere(setup.server.secrets(), { texts: [error.message, error.hint ?? '', error.stack ?? ''] });
  });

  it('lets an account with the extension live longer', async () => {
    await start({ accounts: { [ACCOUNT]: { maxLife: 43_200 } } });
    const lease = await issue({ ttl: 7200 });
    expect(lease.expiresAt.getTime() - Date.now()).toBeGreaterThan(7_100_000);
  });
});

describe('answers that are not the ones asked for', () => {
  const soon = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
  const EXPIRY = 'ERR_PROVIDER_EXPIRY';
  const INVALID = 'ERR_PROVIDER_INVALID_RESPONSE';
  const direct = { serviceAccount: null };
  it.each<[string, 'token' | 'generate', Record<string, unknown>, Partial<GcpConfig>, string, RegExp]>([
    ['no life', 'token', { expires_in: null }, {}, EXPIRY, /without saying how long it lives/],
    ['a life as text', 'token', { expires_in: '3600' }, {}, EXPIRY, /without saying how long/],
    ['no life left', 'token', { expires_in: 0 }, direct, EXPIRY, /had expired at/],
    ['a life beyond all time', 'token', { expires_in: 1e300 }, direct, EXPIRY, /longer than the grant/],
    ['a federated token for a day', 'token', { expires_in: 86_400 }, direct, EXPIRY, /for 86400 s, longer/],
    ['no token', 'token', { access_token: null }, {}, INVALID, /without an access token/],
    ['a token that is a number', 'token', { access_token: 7 }, {}, INVALID, /without an access token/],
    ['another type', 'token', { token_type: 'N_A' }, {}, INVALID, /of another type/],
    ['no issued type', 'token', { issued_token_type: null }, {}, INVALID, /of another type/],
    [
      'more scope',
      'token',
      { scope: `${STORAGE_SCOPE} ${CLOUD_PLATFORM}` },
      direct,
      'ERR_PROVIDER_SCOPE',
      /more scope/,
    ],
    ['no expireTime', 'generate', { expireTime: null }, {}, EXPIRY, /without saying how long/],
    [
      'an expireTime that is no time',
      'generate',
      { expireTime: 'tomorrow' },
      {},
      EXPIRY,
      /without saying how long/,
    ],
    [
      'an expireTime of another zone',
      'generate',
      { expireTime: '2099-01-01T00:00:00+01:00' },
      {},
      EXPIRY,
      /without/,
    ],
    [
      'an expireTime in the past',
      'generate',
      { expireTime: '2020-01-01T00:00:00Z' },
      {},
      EXPIRY,
      /had expired at 2020/,
    ],
    [
      'a longer life',
      'generate',
      { expireTime: soon(1200) },
      {},
      EXPIRY,
      /for 1[12]\d\d s; 900 s were asked for/,
    ],
    ['no accessToken', 'generate', { accessToken: null }, {}, INVALID, /without an access token/],
    [
      'a longer life within the boundary',
      'token',
      { expires_in: 3600 },
      { boundary: [VIEWER] },
      EXPIRY,
      /for 3600 s; (899|900) s were/,
    ],
  ])('%s', async (_, route, fields, config, code, message) => {
    setup.server.rewrite(route, fields);
    const error = await errorOf(() => issue({ config }));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.issuedUntil !== undefined).toBe(
      setup.server.live() > 0 && fields['access_token'] === undefined,
    );
    expectNowhere(setup.server.secrets(), {
      texts: [error.message, error.stack ?? '', JSON.stringify(error)],
    });
  });

  it('takes nine digits of a second, and scope that is less', async () => {
    setup.server.rewrite('generate', { expireTime: soon(900).replace('Z', '123456Z') });
    setup.server.rewrite('token', { scope: CLOUD_PLATFORM });
    expect((await issue()).warnings).toEqual([]);
  });
});

describe('clocks', () => {
  it.each([
    [-30, 'the clock of this machine is 30 s ahead of'],
    [31, 'the clock of this machine is 30 s behind'],
  ])('warns at %i s', async (offset, warning) => {
    setup.server.clockOffset = offset;
    const lease = await issue();
    expect(lease.warnings).toHaveLength(1);
    expect(lease.warnings[0]?.replace(/\d+/, '30')).toContain(warning);
    expect(lease.facts['clock_skew_seconds']).toBeDefined();
  });

  it.each([-120, 120])('refuses at %i s, before the service account is asked', async (offset) => {
    setup.server.clockOffset = offset;
    const error = await errorOf(() => issue({ claims: { iat: Math.floor(Date.now() / 1000) - 300 } }));
    expect(error.code).toBe('ERR_CLOCK_SKEW');
    expect(error.issuedUntil).toBeInstanceOf(Date);
    expect(setup.server.requests).toHaveLength(1);
  });
});
