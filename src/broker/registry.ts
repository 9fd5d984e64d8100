/** Which module serves which provider; each is loaded only by the run that uses it. */
import type { ProviderName } from '../policy/capability.ts';
import type { Provider } from './provider.ts';

export async function loadProvider(name: ProviderName): Promise<Provider> {
  switch (name) {
    case 'aws-sts':
      return (await import('./providers/aws-sts/index.ts')).awsSts;
    case 'local-issuer':
      return (await import('./providers/local-issuer/index.ts')).localIssuer;
  }
}
