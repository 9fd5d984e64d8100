/** The embedded issuer in the catalogue: it has no network, so little can go wrong. */
import { writeFileSync } from 'node:fs';
import { readRevocationList } from '../../../src/broker/providers/local-issuer/files.ts';
import { localIssuer } from '../../../src/broker/providers/local-issuer/index.ts';
import { freshIssuer, issueRequest } from '../../broker/local-issuer-support.ts';
import { brokerContext } from '../../helpers/aws.ts';
import { movableClock, type ProviderFixture } from '../fixture.ts';

const OWN_CODE = 'capwrap itself makes the token';

export const localIssuerFixture: ProviderFixture = {
  name: 'local-issuer',
  routes: { issue: [], end: [], probe: [] },
  outcome: 'revoked_verified',
  byHandle: 'revoked_unverified',
  without: {
    'issue: expired_on_arrival': OWN_CODE,
    'issue: longer_than_asked': OWN_CODE,
    'issue: wider_than_asked': OWN_CODE,
    'issue: wrong_principal': OWN_CODE,
    'issue: value_with_newline': OWN_CODE,
    'end: still_alive': 'the list that is written is the list that is looked at',
    'handle: still_alive': 'the list that is written is the list that is looked at',
  },
  async start() {
    const { stateDir, files } = await freshIssuer();
    const clock = movableClock();
    const secrets: string[] = [];
    const tokens: { readonly jti: string; readonly expiresAt: Date }[] = [];
    let met = 0;
    return {
      provider: {
        ...localIssuer,
        async issue(request, context) {
          const lease = await localIssuer.issue(request, context);
          tokens.push({ jti: lease.leaseId, expiresAt: lease.expiresAt });
          secrets.push(lease.values['token']?.value ?? '');
          return lease;
        },
      },
      context: brokerContext({}, { stateDir, now: clock.now }),
      issueRequest: () => issueRequest({ deadline: new Date(clock.now().getTime() + 300_000) }),
      fault: () => {},
      misbehave(kind) {
        if (kind !== 'revoke_fails') return;
        met += 1;
        writeFileSync(files.lock, ''); // something else has the lock's name
      },
      met: () => met,
      hanging: () => 0,
      strayed: () => 0,
      secrets: () => secrets,
      live() {
        const revoked = readRevocationList(files)?.revoked.map(({ jti }) => jti) ?? [];
        return tokens.filter(({ jti, expiresAt }) => !revoked.includes(jti) && expiresAt > clock.now())
          .length;
      },
      passTime: clock.passTime,
      stop: async () => {},
    };
  },
};
