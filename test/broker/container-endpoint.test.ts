/** The container credentials endpoint, asked by the SDK's own client, by one like botocore's, and by whoever should get nothing. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { request as httpRequest, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type LoopbackServer, serveLoopback } from '../../src/broker/loopback-server.ts';
import { serveContainerCredentials } from '../../src/broker/providers/aws-sts/container-endpoint.ts';
import { afterTest } from '../helpers/after-test.ts';
import { brokerContext } from '../helpers/aws.ts';

const SESSION = {
  accessKeyId: 'ASIAEXAMPLEEXAMPLE12',
  secretAccessKey: 'secret/of+the/session',
  sessionToken: 'token//of==the+session',
  expiration: '2030-01-01T00:15:00Z',
  roleArn: 'arn:aws:iam::123456789012:role/preview-deployer',
};

async function serve(now: () => Date = () => new Date()) {
  const context = brokerContext({}, { now });
  const deadline = new Date('2030-01-01T00:05:00Z');
  const endpoints = await serveContainerCredentials(SESSION, { ...context, deadline });
  afterTest(() => endpoints.close());
  const { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri = '', AWS_CONTAINER_AUTHORIZATION_TOKEN: token = '' } =
    endpoints.variables;
  return { endpoints, context, uri, token };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** One request with exactly these headers. */
function ask(uri: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(uri, { method, headers, agent: false }, (incoming) => {
      let body = '';
      incoming.on('data', (chunk) => {
        body += chunk;
      });
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

describe('who has the token', () => {
  test('gets the session, as botocore asks for it', async () => {
    const { uri, token, context, endpoints } = await serve();
    const answer = await ask(uri, { authorization: token, accept: 'application/json' });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({
      AccessKeyId: SESSION.accessKeyId,
      SecretAccessKey: SESSION.secretAccessKey,
      Token: SESSION.sessionToken,
      Expiration: SESSION.expiration,
      RoleArn: SESSION.roleArn,
    });
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' });
    expect(context.registered).toEqual([{ name: 'credentials_endpoint_token', value: token }]);
    expect(Buffer.from(token, 'base64url').length).toBe(32);
    expect(endpoints.kind).toBe('credentials_endpoint');
  });

  test('gets it through the JavaScript SDK', async () => {
    const { uri, token } = await serve();
    const fromHttp = loadFromHttp();
    const credentials = await fromHttp({
      awsContainerCredentialsFullUri: uri,
      awsContainerAuthorizationToken: token,
    })();
    expect(credentials).toMatchObject({
      accessKeyId: SESSION.accessKeyId,
      secretAccessKey: SESSION.secretAccessKey,
      sessionToken: SESSION.sessionToken,
      expiration: new Date(SESSION.expiration),
    });
  });

  test('gets nothing from the deadline on, although the session lives', async () => {
    let now = new Date('2030-01-01T00:04:59.999Z');
    const { uri, token } = await serve(() => now);
    expect((await ask(uri, { authorization: token })).status).toBe(200);
    now = new Date('2030-01-01T00:05:00Z');
    const answer = await ask(uri, { authorization: token });
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toEqual({ Code: 'ExpiredToken', Message: 'The lease is over' });
  });

  test('finds nobody once the child has gone', async () => {
    const { uri, token, endpoints } = await serve();
    await endpoints.close();
    await endpoints.close();
    await expect(ask(uri, { authorization: token })).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe('who has not', () => {
  const rows: [string, (uri: string, token: string) => Promise<Answer>, number][] = [
    ['no token', (uri) => ask(uri), 401],
    ['another token', (uri, token) => ask(uri, { authorization: `${token}x` }), 401],
    ['a scheme before it', (uri, token) => ask(uri, { authorization: `Bearer ${token}` }), 401],
    ['another path', (uri, token) => ask(`${uri}x`, { authorization: token }), 404],
    ['no path', (uri, token) => ask(new URL('/', uri).href, { authorization: token }), 404],
    ['a POST', (uri, token) => ask(uri, { authorization: token }, 'POST'), 405],
    ['a name that leads here', (uri, token) => ask(uri, { authorization: token, host: 'evil.example' }), 421],
  ];
  test.each(rows)('%s: no session', async (_name, attempt, status) => {
    const { uri, token } = await serve();
    const answer = await attempt(uri, token);
    expect(answer.status).toBe(status);
    expect(answer.body).not.toMatch(/secret|token\/\//);
    expect((await ask(uri, { authorization: token })).status, 'refusals count for nothing').toBe(200);
  });

  test('each endpoint has a path and a token of its own', async () => {
    const [one, other] = [await serve(), await serve()];
    expect(one.token).not.toBe(other.token);
    expect(new URL(one.uri).pathname).not.toBe(new URL(other.uri).pathname);
    expect((await ask(one.uri, { authorization: other.token })).status).toBe(401);
  });
});

describe('a loopback server', () => {
  async function plain(): Promise<LoopbackServer> {
    const server = await serveLoopback((request) => ({
      status: 200,
      body: JSON.stringify({ user: request.peerUser(), query: request.query.get('a') }),
    }));
    afterTest(() => server.close());
    return server;
  }

  test('can tell whose process asks', async () => {
    const server = await plain();
    const answer = JSON.parse((await ask(`http://${server.host}/x?a=b`)).body);
    const uid = process.platform === 'linux' ? process.getuid?.() : null;
    expect(answer).toEqual({ user: uid, query: 'b' });
  });

  test('answers to its name, too', async () => {
    const server = await plain();
    const host = server.host.replace('127.0.0.1', 'localhost');
    expect((await ask(`http://${server.host}/`, { host })).status).toBe(200);
  });

  test('goes on after connections that could not be taken: nothing of them reaches the run', async () => {
    const { host } = await plain();
    const found = new Promise<Server>((resolve) => {
      const hear = (message: unknown) => resolve((message as { server: Server }).server);
      subscribe('http.server.request.start', hear);
      afterTest(() => void unsubscribe('http.server.request.start', hear));
    });
    await ask(`http://${host}/`);
    const server = await found;
    for (let time = 0; time < 2; time += 1) server.emit('error', new Error('accept ENOBUFS'));
    expect((await ask(`http://${host}/`)).status).toBe(200);
  });

  test('answers 500, and no more, where the answer fails: the run goes on', async () => {
    const server = await serveLoopback(() => {
      throw new Error('a secret');
    });
    afterTest(() => server.close());
    expect(await ask(`http://${server.host}/`)).toMatchObject({ status: 500, body: '' });
  });

  test('is not held open by a connection that says nothing, nor broken by nonsense', async () => {
    const server = await plain();
    const port = Number(server.host.split(':')[1]);
    const [silent, loud] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    for (const socket of [silent, loud]) socket.on('error', () => {});
    await new Promise((resolve) => silent.once('connect', resolve));
    loud.write('\0\0\0 nonsense\r\n\r\n');
    await new Promise((resolve) => loud.once('close', resolve));
    expect((await ask(`http://${server.host}/`)).status).toBe(200);
    const closed = new Promise((resolve) => silent.once('close', resolve));
    await server.close();
    await closed;
  });

  test('lets go of connections that don’t finish a request, soon after their time', async () => {
    const server = await serveLoopback(() => ({ status: 200, body: '{}' }), 200);
    afterTest(() => server.close());
    const port = Number(server.host.split(':')[1]);
    const closed = ['', 'GET / HTTP/1.1\r\nHost'].map((text) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      socket.on('error', () => {});
      socket.resume();
      return new Promise((resolve) => socket.once('close', resolve));
    });
    await Promise.all(closed); // Node would look after 30 s, when this test is over
  }, 5_000);
});

type FromHttp = (options: Record<string, string>) => () => Promise<Record<string, unknown>>;

/** A package of the SDK's own, which the STS client brings; it has no types that are resolved from here. */
function loadFromHttp(): FromHttp {
  const fromClient = createRequire(createRequire(import.meta.url).resolve('@aws-sdk/client-sts'));
  const fromNode = createRequire(fromClient.resolve('@aws-sdk/credential-provider-node'));
  return (fromNode('@aws-sdk/credential-provider-http') as { fromHttp: FromHttp }).fromHttp;
}
