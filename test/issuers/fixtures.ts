/** The providers that the failure catalogue is walked against. A new one is one line here. */
import { awsStsFixture } from './aws-sts/fixture.ts';
import { commandFixture } from './command/fixture.ts';
import { fakeFixture } from './fake/fixture.ts';
import type { ProviderFixture } from './fixture.ts';
import { gcpFixture } from './gcp/fixture.ts';
import { gitHubAppFixture } from './github-app/fixture.ts';
import { localIssuerFixture } from './local-issuer/fixture.ts';
import { oauth2Fixture } from './oauth2/fixture.ts';
import { vaultFixture, wrappedVaultFixture } from './vault/fixture.ts';

export const FIXTURES: readonly ProviderFixture[] = [
  fakeFixture(),
  localIssuerFixture,
  awsStsFixture,
  gitHubAppFixture,
  vaultFixture,
  wrappedVaultFixture,
  oauth2Fixture,
  gcpFixture,
  commandFixture,
];
