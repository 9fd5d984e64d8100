/** Tokens of the test server: made, looked up, revoked. */
import { Refusal, reply } from '../call.ts';
import type { Route } from '../kit.ts';
import { authReply, type Parts, post } from './parts.ts';
import type { Token } from './tokens.ts';

export function tokenRoutes(parts: Parts): readonly Route[] {
  const { issuer, tokens } = parts;
  return [
    {
      name: 'token-lookup',
      method: 'GET',
      path: '/v1/auth/token/lookup-self',
      handle: (call) => {
        call.query();
        return reply(200, { data: lookupOf(tokens.authorize(call), issuer.now()) });
      },
    },
    post('accessor-lookup', '/v1/auth/token/lookup-accessor', (call) => {
      tokens.authorize(call);
      const token = tokens.byAccessor(call.json(['accessor'])['accessor']);
      return reply(200, { data: { ...lookupOf(token, issuer.now()), id: '' } }); // whoever has the accessor has not the token
    }),
    post('create', '/v1/auth/token/create', (call) => {
      const parent = tokens.authorize(call);
      const asked = call.json([
        'policies',
        'ttl',
        'explicit_max_ttl',
        'renewable',
        'type',
        'display_name',
        'meta',
        'num_uses',
        'no_default_policy',
      ]);
      if (parent.type === 'batch') throw new Refusal(400, 'batch tokens cannot create more tokens');
      const policies = asked['policies'] as string[];
      const excess = policies.filter(
        (name) => !parent.policies.includes(name) && !parent.policies.includes('root'),
      );
      if (excess.length > 0) throw new Refusal(400, 'child policies must be subset of parent');
      const ttl = Math.min(seconds(asked['ttl']), seconds(asked['explicit_max_ttl']));
      const wider = call.misbehaves('wider_than_asked') ? ['admin'] : [];
      const token = tokens.create({
        parent,
        policies: ['default', ...policies, ...wider],
        ttl: ttl + (call.misbehaves('longer_than_asked') ? 3600 : 0),
        entityId: call.misbehaves('wrong_principal') ? 'entity-of-another' : parent.entityId,
        meta: asked['meta'] as Record<string, string>,
        displayName: String(asked['display_name']),
      });
      const missing = policies.filter((name) => !tokens.exists(name));
      return authReply(
        token,
        parts,
        token.policies,
        missing.map((name) => `Policy "${name}" does not exist`),
      );
    }),
    post('token-revoke', '/v1/auth/token/revoke-self', (call) => {
      const token = tokens.authorize(call);
      call.assertNoBody();
      if (token.type === 'batch') throw new Refusal(400, 'batch tokens cannot be revoked');
      if (!call.misbehaves('still_alive')) tokens.revoke(token);
      return reply(204);
    }),
    post('accessor-revoke', '/v1/auth/token/revoke-accessor', (call) => {
      tokens.authorize(call);
      tokens.revoke(tokens.byAccessor(call.json(['accessor'])['accessor']));
      return reply(204);
    }),
  ];
}

function lookupOf(token: Token, now: Date) {
  return {
    accessor: token.accessor,
    creation_time: Math.floor(token.createdAt.getTime() / 1000),
    display_name: token.displayName,
    entity_id: token.entityId,
    expire_time: token.expiresAt?.toISOString() ?? null,
    explicit_max_ttl: token.explicitMaxTtl,
    id: token.secret,
    meta: Object.keys(token.meta).length === 0 ? null : token.meta,
    num_uses: token.numUses,
    orphan: token.parent === null,
    path: token.path,
    policies: token.policies,
    renewable: false,
    ttl: token.expiresAt === null ? 0 : Math.round((token.expiresAt.getTime() - now.getTime()) / 1000),
    type: token.type,
  };
}

function seconds(text: unknown): number {
  const [, digits] = /^(\d+)s$/.exec(String(text)) ?? [];
  if (digits === undefined || Number(digits) < 1) throw new Refusal(400, 'invalid duration');
  return Number(digits);
}
