/** The server of the fake provider: a token for a user and a scope, for so many seconds. */
import { Refusal, reply } from '../call.ts';
import { IssuedCredentials } from '../issued.ts';
import { startIssuer, type TestIssuer } from '../kit.ts';

export interface FakeServer extends TestIssuer {
  live(): number;
}

export async function startFakeServer(): Promise<FakeServer> {
  let tokens: IssuedCredentials<{ readonly expiresAt: Date }> | undefined;
  const server = await startIssuer({
    routes: (issuer) => {
      const issued = new IssuedCredentials(issuer.now);
      tokens = issued;
      return [
        {
          name: 'token',
          method: 'POST',
          path: '/token',
          handle(call) {
            const { user = '', scope = '', seconds = '' } = call.form(['user', 'scope', 'seconds']);
            if (user === '' || scope === '' || !/^\d+$/.test(seconds))
              throw new Refusal(400, 'invalid_request');
            const extra = call.misbehaves('longer_than_asked') ? 3600 : 0;
            const life = call.misbehaves('expired_on_arrival') ? -5 : Number(seconds) + extra;
            const expiresAt = new Date(issuer.now().getTime() + life * 1000);
            const token = issuer.secret('fake_');
            issued.add(token, { expiresAt });
            return reply(200, {
              token: call.misbehaves('value_with_newline') ? `${token}\n` : token,
              expires_at: expiresAt.toISOString(),
              user: call.misbehaves('wrong_principal') ? 'root' : user,
              scope: call.misbehaves('wider_than_asked') ? `${scope} write` : scope,
            });
          },
        },
        {
          name: 'revoke',
          method: 'DELETE',
          path: '/token',
          handle(call) {
            call.assertNoBody();
            const token = call.bearer();
            if (token === null || issued.find(token) === null) throw new Refusal(401, 'bad_credentials');
            if (call.misbehaves('revoke_fails')) throw new Refusal(502, 'backend_failed');
            if (!call.misbehaves('still_alive')) issued.revoke(token);
            return reply(204);
          },
        },
        {
          name: 'whoami',
          method: 'GET',
          path: '/whoami',
          handle(call) {
            call.query();
            if (issued.find(call.bearer()) === null) throw new Refusal(401, 'bad_credentials');
            return reply(200, { user: 'agent' });
          },
        },
      ];
    },
  });
  return Object.assign(server, { live: () => tokens?.live() ?? 0 });
}
