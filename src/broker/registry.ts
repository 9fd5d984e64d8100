/** Which module serves which provider; each is loaded only by the run that uses it. */
import type { ProviderName } from '../policy/capability.ts';
import type { Provider } from './provider.ts';

const MODULES: { readonly [Name in ProviderName]: () => Promise<Provider> } = {
  vault: async () => (await import('./providers/vault/index.ts')).vault,
  'aws-sts': async () => (await import('./providers/aws-sts/index.ts')).awsSts,
  gcp: async () => (await import('./providers/gcp/index.ts')).gcp,
  'github-app': async () => (await import('./providers/github-app/index.ts')).gitHubApp,
  'local-issuer': async () => (await import('./providers/local-issuer/index.ts')).localIssuer,
  oauth2: async () => (await import('./providers/oauth2/index.ts')).oauth2,
  command: async () => (await import('./providers/command/index.ts')).command,
};

export function loadProvider(name: ProviderName): Promise<Provider> {
  return MODULES[name]();
}
