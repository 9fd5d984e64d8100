/** Leases of the test server: made by reading a secret, looked up, revoked. */
import { type Call, Refusal, type Reply, reply } from '../call.ts';
import type { Route } from '../kit.ts';
import { readEngine } from './engines.ts';
import { type Parts, post } from './parts.ts';

export function leaseRoutes({ issuer, options, tokens, leases }: Parts): readonly Route[] {
  return [
    post('lease-lookup', '/v1/sys/leases/lookup', (call) => {
      tokens.authorize(call);
      const lease = leases.find(call.json(['lease_id'])['lease_id']);
      if (lease === null) throw new Refusal(400, 'invalid lease');
      const { id, issuedAt, expiresAt, revokeError } = lease;
      const ttl = Math.round((expiresAt.getTime() - issuer.now().getTime()) / 1000);
      return reply(200, {
        data: {
          id,
          issue_time: issuedAt.toISOString(),
          expire_time: expiresAt.toISOString(),
          last_renewal: null,
          renewable: true,
          ttl,
          ...(revokeError !== null && { revoke_error: revokeError }),
        },
      });
    }),
    post('lease-revoke', '/v1/sys/leases/revoke', (call) => {
      tokens.authorize(call);
      const { lease_id: id, sync } = call.json(['lease_id', 'sync']);
      const lease = leases.find(id);
      if (lease === null) return reply(204); // of an unknown one too
      if (call.misbehaves('revoke_fails'))
        throw new Refusal(400, 'failed to revoke entry: pq: connection refused');
      if (options.irrevocable) {
        lease.revokeError = 'failed to revoke entry';
        throw new Refusal(500, 'internal error');
      }
      if (call.misbehaves('still_alive')) return reply(204);
      if (sync !== true) {
        leases.queue(lease);
        return reply(202);
      }
      leases.revoke(lease);
      return reply(204);
    }),
    secretRoute('GET'),
    secretRoute('POST'),
  ];

  function secretRoute(method: 'GET' | 'POST'): Route {
    return {
      name: 'secret',
      method,
      path: /\/v1\/(?:database|aws|kubernetes|secret|nothing)\/.*/,
      handle: (call) => readSecret(call),
    };
  }

  function readSecret(call: Call): Reply {
    const token = tokens.authorize(call);
    const path = call.path.replace('/v1/', '');
    const { data, lease, outlives, claimedDuration } = readEngine(path, call, issuer);
    const base = {
      request_id: 'r',
      renewable: lease !== null,
      data,
      wrap_info: null,
      warnings: null,
      auth: null,
    };
    if (lease === null) return reply(200, { ...base, lease_id: '', lease_duration: claimedDuration ?? 0 });
    const life = call.misbehaves('expired_on_arrival')
      ? -5
      : lease + (call.misbehaves('longer_than_asked') ? 3600 : 0);
    const made = leases.create(path, token, life, outlives);
    return reply(200, { ...base, lease_id: made.id, lease_duration: life });
  }
}
