/** The server behind the example's program: sessions of a build cache, for whoever has the key. */
import { Refusal, reply } from '../call.ts';
import { startIssuer, type TestIssuer } from '../kit.ts';

export interface BuildCache extends TestIssuer {
  /** What the program has to show. */
  readonly key: string;
  /** Sessions that work now. */
  live(): number;
}

export async function startBuildCache(): Promise<BuildCache> {
  const sessions = new Map<string, { readonly token: string; readonly expiresAt: Date }>();
  let key = '';
  const server = await startIssuer({
    routes: (issuer) => [
      {
        name: 'open',
        method: 'POST',
        path: '/sessions',
        handle(call) {
          if (call.bearer() !== key) throw new Refusal(401, 'bad_key');
          const { scope, seconds, note } = call.json(['scope', 'seconds', 'note']);
          const sound =
            Array.isArray(scope) && typeof seconds === 'number' && /^[0-9a-f]+$/.test(String(note));
          if (!sound || seconds > 3600) throw new Refusal(400, 'invalid_request');
          const id = `s-${sessions.size + 1}`;
          const token = issuer.secret('cache_');
          const expiresAt = new Date(issuer.now().getTime() + seconds * 1000);
          sessions.set(id, { token, expiresAt });
          return reply(201, { id, token, user: 'agent', scope, expires_at: expiresAt.toISOString() });
        },
      },
      {
        name: 'close',
        method: 'DELETE',
        path: /^\/sessions\/(s-\d+)$/,
        handle(call) {
          call.assertNoBody();
          if (call.bearer() !== key) throw new Refusal(401, 'bad_key');
          if (!sessions.delete(call.match[1] ?? '')) throw new Refusal(404, 'no_such_session');
          return reply(204);
        },
      },
      {
        name: 'look',
        method: 'GET',
        path: '/session',
        handle(call) {
          const found = [...sessions.values()].find(({ token }) => token === call.bearer());
          if (found === undefined || found.expiresAt <= issuer.now()) throw new Refusal(401, 'no_session');
          return reply(200, { user: 'agent' });
        },
      },
    ],
  });
  key = server.secret('key_');
  return Object.assign(server, {
    key,
    live: () => [...sessions.values()].filter(({ expiresAt }) => expiresAt > server.now()).length,
  });
}
