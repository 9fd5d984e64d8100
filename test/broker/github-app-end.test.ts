/** The end of a token as it is observed: deleted and then refused, never only said. */
import { describe, expect, test } from 'vitest';
import { endLease } from '../../src/broker/end-lease.ts';
import { issueLease } from '../../src/broker/lease.ts';
import { gitHubApp } from '../../src/broker/providers/github-app/index.ts';
import { afterTest } from '../helpers/after-test.ts';
import { brokerContext, errorOf } from '../helpers/aws.ts';
import { tempDir } from '../helpers/cli.ts';
import { movableClock } from '../issuers/fixture.ts';
import { whileTimeFlies } from '../issuers/flying-time.ts';
import { keyFile } from '../issuers/github-app/app.ts';
import { gitHubConfig, gitHubRequest } from '../issuers/github-app/fixture.ts';
import { type GitHubOptions, startGitHub } from '../issuers/github-app/server.ts';

async function issued(options: GitHubOptions = {}) {
  const server = await startGitHub(options);
  afterTest(() => server.stop());
  const config = gitHubConfig({ apiUrl: server.apiUrl, privateKeyFile: keyFile(tempDir()) });
  const clock = movableClock(server);
  const context = brokerContext({}, { now: clock.now });
  const lease = await issueLease(gitHubApp, gitHubRequest(config), context);
  const before = server.requests.length;
  const end = async () => {
    const { end: result } = await whileTimeFlies(
      () => endLease(gitHubApp, lease, context),
      () => server.hanging,
    );
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  };
  const asked = () => server.requests.slice(before).map(({ method, path }) => `${method} ${path}`);
  const remove = () =>
    fetch(`${server.apiUrl}/installation/token`, {
      method: 'DELETE',
      headers: {
        authorization: `Bearer ${server.lastToken()}`,
        accept: 'application/vnd.github+json',
        'x-github-api-version': '2022-11-28',
      },
    });
  return { server, clock, lease, end, asked, remove };
}

describe('end', () => {
  test('looks, deletes, looks again', async () => {
    const { server, end, asked } = await issued();
    expect(await end()).toEqual({
      outcome: 'revoked_verified',
      end: 'DELETE /installation/token answered 204',
      probe: 'GET /rate_limit answered 401',
      error: null,
    });
    expect(asked()).toEqual(['GET /rate_limit', 'DELETE /installation/token', 'GET /rate_limit']);
    expect(server.live()).toBe(0);
  });

  test('is not looked for more than gently where the token lives on', async () => {
    const { server, end, asked } = await issued();
    server.misbehave('still_alive');
    expect(await end()).toMatchObject({
      outcome: 'revoked_unverified',
      probe: 'GET /rate_limit answered 200; before: GET /rate_limit answered 200',
    });
    expect(asked().filter((line) => line.startsWith('GET'))).toHaveLength(5);
  });

  test('a server of one’s own without rate limits is asked for a repository', async () => {
    const { end, asked } = await issued({ rateLimit: false, prefix: '/api/v3' });
    expect(await end()).toMatchObject({ outcome: 'revoked_verified', probe: 'GET /rate_limit answered 401' });
    expect(asked()).toEqual([
      'GET /api/v3/rate_limit',
      'GET /api/v3/installation/repositories',
      'DELETE /api/v3/installation/token',
      'GET /api/v3/rate_limit',
    ]);
  });

  test('after the hour it has expired, by GitHub’s clock', async () => {
    const { clock, end, asked } = await issued();
    clock.passTime(3601);
    expect(await end()).toMatchObject({
      outcome: 'expired',
      end: null,
      probe: 'GET /rate_limit answered 401',
    });
    expect(asked()).toEqual(['GET /rate_limit']);
  });

  test('a token that the child has deleted itself is not claimed to be ended here', async () => {
    const { server, clock, end, remove } = await issued();
    clock.passTime(60);
    expect((await remove()).status).toBe(204);
    expect(await end()).toMatchObject({
      outcome: 'revoke_failed',
      end: 'DELETE /installation/token answered 401',
      error: expect.stringMatching(/refused with 401 \(Bad credentials\)$/),
    });
    expect(server.live()).toBe(0);
  });
});

describe('a new token that not all of GitHub knows', () => {
  test('is waited for, and then ended and verified', async () => {
    const { end, asked } = await issued({ early: 2 });
    expect(await end()).toMatchObject({ outcome: 'revoked_verified' });
    expect(asked().filter((line) => line === 'GET /rate_limit')).toHaveLength(4);
  });

  test('proves nothing where it never worked', async () => {
    const { end, asked } = await issued({ early: 100 });
    expect(await end()).toMatchObject({
      outcome: 'revoke_failed',
      probe: expect.stringContaining('GET /rate_limit answered 401, which may be too early for a new token'),
    });
    expect(asked().length).toBeLessThan(6);
  });
});

describe('probe', () => {
  test.each<[string, Readonly<Record<string, unknown>> | null, number, string]>([
    ['GitHub’s words', { message: 'Bad credentials' }, 401, 'dead'],
    ['another 401, as of a gateway', { message: 'sign in first' }, 401, 'unknown'],
    ['an empty 401', null, 401, 'unknown'],
    ['a 403 after many attempts', { message: 'Maximum number of login attempts exceeded' }, 403, 'unknown'],
    ['an empty 200', null, 200, 'unknown'],
  ])('%s', async (_, json, status, state) => {
    const { createServer } = await import('node:http');
    const { server, lease } = await issued();
    const context = brokerContext();
    expect((await gitHubApp.probe?.(lease, context))?.state).toBe('alive');
    await server.stop();
    const other = createServer((_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(json === null ? '' : JSON.stringify(json));
    });
    await new Promise<void>((resolve) =>
      other.listen(Number(server.host.split(':')[1]), '127.0.0.1', resolve),
    );
    afterTest(() => void other.close());
    expect(await gitHubApp.probe?.(lease, context)).toEqual({
      state,
      saw: `GET /rate_limit answered ${status}`,
    });
  });
});

describe('clocks', () => {
  const at = async (offset: number) => {
    const server = await startGitHub();
    afterTest(() => server.stop());
    server.clockOffset = offset;
    const config = gitHubConfig({ apiUrl: server.apiUrl, privateKeyFile: keyFile(tempDir()) });
    return { server, issue: () => issueLease(gitHubApp, gitHubRequest(config), brokerContext()) };
  };

  test.each([
    [-20, 1],
    [300, 1],
    [-900, 2],
    [900, 2],
    [7200, 2],
  ])(
    'a server that is %d s ahead is worked with, after %d requests that issue nothing',
    async (offset, looks) => {
      const { server, issue } = await at(offset);
      const lease = await issue();
      const routes = server.requests.map(({ route }) => route);
      expect(routes).toEqual([...Array(looks).fill('installation'), 'token']);
      expect(Math.abs(Number(lease.facts['clock_skew_seconds']) + offset)).toBeLessThanOrEqual(1);
      expect(lease.warnings).toHaveLength(Math.abs(offset) < 30 ? 0 : 1);
      expect(lease.warnings.join('')).toMatch(
        Math.abs(offset) < 30 ? /^$/ : /^the clock of this machine is \d+ s/,
      );
    },
  );

  test('the mint itself is never repeated', async () => {
    const { server, issue } = await at(0);
    server.fault({ route: 'token', fault: 'reset_after_effect' });
    const error = await errorOf(issue);
    expect(error.issuedUntil).toBeInstanceOf(Date);
    expect(server.requests.filter(({ route }) => route === 'token')).toHaveLength(1);
  });
});
