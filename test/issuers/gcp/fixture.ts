/** Google Cloud in the catalogue: a federated token, a service account's, and one within a boundary. */
import { gcp } from '../../../src/broker/providers/gcp/index.ts';
import { brokerContext } from '../../helpers/aws.ts';
import { movableClock, onServer, type ProviderFixture } from '../fixture.ts';
import { BUCKET } from './checks.ts';
import { gcpConfig, gcpRequest, gcpSetup, VARIABLE } from './setup.ts';

const NOT_SAID = 'no answer says who a token speaks as or what it may do: what holds is what was asked for';
const NO_END = 'no call ends such a token';

export const gcpFixture: ProviderFixture = {
  name: 'gcp',
  routes: { issue: ['token', 'generate', 'boundary'], end: [], probe: [] },
  outcome: 'expires',
  without: {
    'issue: wider_than_asked': NOT_SAID,
    'issue: wrong_principal': NOT_SAID,
    'end: revoke_fails': NO_END,
    'end: still_alive': NO_END,
  },
  async start() {
    const { server, proof } = await gcpSetup();
    const clock = movableClock(server);
    const boundary = [
      { resource: BUCKET, permissions: ['inRole:roles/storage.objectUser'], condition: null },
    ];
    return {
      ...onServer(server),
      // Both exchanges have one path.
      fault: (fault) =>
        server.fault(fault.route === 'boundary' ? { ...fault, route: 'token', after: 1 } : fault),
      provider: gcp,
      context: brokerContext({ [VARIABLE]: await proof() }, { now: clock.now }),
      passTime: clock.passTime,
      live: server.live,
      issueRequest: () => gcpRequest(gcpConfig(server, { boundary }), 900, clock.now()),
    };
  },
};
