/** How every client of the AWS SDK is set up: nothing is read from variables or files, and nothing is asked twice. */
import { VERSION } from '../../../base/version.ts';
import type { KeyProof } from '../../sources/proof.ts';

/** Settings that the SDK would otherwise look up by itself. */
export function fixedSettings() {
  return {
    // A retry could leave a second session that nobody sees.
    maxAttempts: 1,
    retryMode: 'standard',
    defaultsMode: 'standard' as const,
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    authSchemePreference: [],
    userAgentAppId: async () => undefined,
    disableClockSkewCorrection: true,
    defaultUserAgentProvider: async (): Promise<[string, string][]> => [['capwrap', VERSION]],
  };
}

/** The keys that sign. */
export function credentialsOf({ accessKeyId, secretAccessKey, sessionToken }: KeyProof) {
  return { accessKeyId, secretAccessKey, ...(sessionToken !== null && { sessionToken }) };
}
