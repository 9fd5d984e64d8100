import type { Provider } from '../../../src/broker/provider.ts';
import type { ProviderConfig } from '../../../src/policy/capability.ts';
import { brokerContext, capability, LEASE_ID } from '../../helpers/aws.ts';
import { movableClock, onServer, type ProviderFixture } from '../fixture.ts';
import { fakeProvider } from './provider.ts';
import { startFakeServer } from './server.ts';

/** `change` turns the sound provider into one with a defect. */
export function fakeFixture(change: (sound: Provider) => Provider = (sound) => sound): ProviderFixture {
  return {
    name: 'fake',
    routes: { issue: ['token'], end: ['revoke'], probe: ['whoami'] },
    outcome: 'revoked_verified',
    without: {},
    async start() {
      const server = await startFakeServer();
      const clock = movableClock(server);
      const config = { provider: 'fake' } as unknown as ProviderConfig; // no map can name it
      return {
        ...onServer(server),
        provider: change(fakeProvider(server.url)),
        context: brokerContext({}, { now: clock.now }),
        passTime: clock.passTime,
        live: server.live,
        issueRequest: () => ({
          leaseId: LEASE_ID,
          capability: capability(config),
          ttl: 900,
          deadline: new Date(clock.now().getTime() + 900_000),
          approval: 'none',
          actor: 'agent-7',
          taskId: 'task-1',
        }),
      };
    },
  };
}
