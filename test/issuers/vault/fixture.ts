/** Vault in the catalogue: by AppRole, and once more for the ways of a wrapped secret id. */
import { writeFileSync } from 'node:fs';
import { vault } from '../../../src/broker/providers/vault/index.ts';
import { brokerContext } from '../../helpers/aws.ts';
import { movableClock, onServer, type ProviderFixture } from '../fixture.ts';
import { appRole, secretFile, vaultConfig, vaultRequest } from './config.ts';
import { WRAPPED_AT } from './parts.ts';
import { startVault } from './server.ts';

function fixture(
  name: string,
  wrapped: boolean,
  rest: Pick<ProviderFixture, 'routes' | 'without' | 'codes' | 'byHandle'>,
): ProviderFixture {
  return {
    name,
    outcome: 'revoked_verified',
    ...rest,
    async start() {
      const server = await startVault();
      const clock = movableClock(server);
      let file = '';
      return {
        ...onServer(server),
        provider: vault,
        context: brokerContext({}, { now: clock.now }),
        passTime: clock.passTime,
        live: server.live,
        renewProof: () => writeFileSync(file, server.secretId()),
        issueRequest() {
          file = secretFile(wrapped ? server.wrappedSecretId() : `${server.secretId()}\n`);
          const auth = appRole(file, wrapped ? WRAPPED_AT : null);
          return vaultRequest(vaultConfig(server.url, { auth }), 900, clock.now());
        },
      };
    },
  };
}

export const vaultFixture = fixture('vault', false, {
  routes: {
    issue: ['login', 'create', 'secret'],
    end: ['lease-revoke', 'token-revoke'],
    probe: ['lease-lookup', 'token-lookup'],
    handle: ['login', 'accessor-lookup', 'lease-revoke'],
  },
  byHandle: 'revoked_verified',
  without: {},
});

const SAME = 'walked already, with the secret id itself';

export const wrappedVaultFixture = fixture('vault, wrapped secret id', true, {
  routes: { issue: ['wrap-lookup', 'unwrap'], end: [], probe: [] },
  without: {
    'issue: expired_on_arrival': SAME,
    'issue: longer_than_asked': SAME,
    'issue: wider_than_asked': SAME,
    'issue: wrong_principal': SAME,
    'issue: value_with_newline': SAME,
    'end: ': SAME,
  },
  codes: {
    'issue: refused at': ['ERR_SOURCE_INVALID'],
  },
});
