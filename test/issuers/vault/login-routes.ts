/** Logins of the test server, and the wrapping of secret ids. */
import { createLocalJWKSet, jwtVerify } from 'jose';
import { Refusal, type Reply, reply } from '../call.ts';
import type { Route } from '../kit.ts';
import { authReply, newSecretId, type Parts, post, ROLE_ID } from './parts.ts';

export function loginRoutes(parts: Parts): readonly Route[] {
  const { issuer, options, loginPolicies, tokens, secretIds, wrapped } = parts;
  const login = (path: string, role: Readonly<Record<string, string>>): Reply => {
    const token = tokens.create({
      policies: loginPolicies,
      ttl: options.loginSeconds ?? 8 * 3600,
      type: options.loginType ?? 'service',
      numUses: options.loginUses ?? 0,
      entityId: 'entity-1',
      meta: role,
      path,
    });
    return authReply(token, parts, loginPolicies);
  };
  return [
    post('login', '/v1/auth/approle/login', (call) => {
      tokens.assertHeaders(call);
      const { role_id: role, secret_id: id } = call.json(['role_id', 'secret_id']);
      const uses = secretIds.get(String(id)) ?? 0;
      if (role !== ROLE_ID || uses < 1) throw new Refusal(400, 'invalid role or secret ID');
      secretIds.set(String(id), uses - 1);
      return login('auth/approle/login', { role_name: 'deployer' });
    }),
    post('login-jwt', /\/v1\/auth\/(jwt|kubernetes|k8s\/eu)\/login/, async (call) => {
      tokens.assertHeaders(call);
      const { role, jwt } = call.json(['role', 'jwt']);
      if (role !== 'deployer' && role !== 'other')
        throw new Refusal(400, `role "${role}" could not be found`);
      await verify(String(jwt), parts);
      // A login under another role than the one that was asked for.
      return login(`auth/${call.match[1]}/login`, { role: role === 'other' ? 'admin' : role });
    }),
    post('wrap-lookup', '/v1/sys/wrapping/lookup', (call) => {
      tokens.assertHeaders(call);
      const found = wrapped.get(String(call.json(['token'])['token']));
      if (found === undefined || found.expiresAt <= issuer.now())
        throw new Refusal(400, 'wrapping token is not valid or does not exist');
      return reply(200, {
        data: { creation_path: found.path, creation_time: '2026-01-01T00:00:00Z', creation_ttl: 60 },
      });
    }),
    post('unwrap', '/v1/sys/wrapping/unwrap', (call) => {
      tokens.assertHeaders(call);
      call.assertNoBody(); // with the token in the header, a second one in the body would be another request
      const token = String(call.headers['x-vault-token']);
      const found = wrapped.get(token);
      if (found === undefined || found.expiresAt <= issuer.now())
        throw new Refusal(400, 'wrapping token is not valid or does not exist');
      wrapped.delete(token);
      return reply(200, {
        data: { secret_id: newSecretId({ issuer, secretIds }), secret_id_accessor: 'a', secret_id_ttl: 600 },
      });
    }),
  ];
}

async function verify(jwt: string, { options, issuer: server }: Parts): Promise<void> {
  const { jwks, issuer = '', audience = '' } = options.jwt ?? {};
  if (jwks === undefined) throw new Refusal(400, 'no handler for route');
  try {
    await jwtVerify(jwt, createLocalJWKSet(jwks), { issuer, audience, currentDate: server.now() });
  } catch (error) {
    const audienceFault = String(error).includes('aud');
    throw new Refusal(
      400,
      `error validating token: ${audienceFault ? 'invalid audience (aud) claim' : 'bad signature'}`,
    );
  }
}
