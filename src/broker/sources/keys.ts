/** Keys that a source found → a proof, if they are whole and may be used. */
import { CapwrapError } from '../../errors.ts';
import type { BrokerContext } from '../provider.ts';
import type { KeyProof } from './proof.ts';

export interface FoundKeys {
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  readonly sessionToken: string | undefined;
}

/**
 * Checks the keys and registers them with the masker. A key without an end of its own (`AKIA…`, or no session token)
 * throws ERR_SOURCE_LONG_LIVED unless the map allows it.
 */
export function toKeyProof(
  found: FoundKeys,
  source: { readonly label: string; readonly longLivedAllowed: boolean; readonly remedy: string },
  context: BrokerContext,
): KeyProof {
  const { accessKeyId, secretAccessKey } = found;
  const sessionToken = found.sessionToken || null;
  if (secretAccessKey) context.registerSecret('source_secret_access_key', secretAccessKey);
  if (sessionToken) context.registerSecret('source_session_token', sessionToken);
  if (!accessKeyId || !secretAccessKey) {
    const missing = accessKeyId ? 'secret access key' : 'access key id';
    throw new CapwrapError('ERR_SOURCE_UNAVAILABLE', `source "${source.label}" has no ${missing}`, {
      hint: source.remedy,
    });
  }
  for (const value of [accessKeyId, secretAccessKey, sessionToken ?? 'none']) {
    if (!PRINTABLE.test(value)) {
      throw new CapwrapError(
        'ERR_SOURCE_INVALID',
        `source "${source.label}" holds a key with a blank or control character in it`,
        {
          hint: source.remedy,
        },
      );
    }
  }
  if (sessionToken === null && accessKeyId.startsWith('ASIA')) {
    throw new CapwrapError(
      'ERR_SOURCE_INVALID',
      `source "${source.label}" holds a temporary key without its session token`,
      {
        hint: source.remedy,
      },
    );
  }
  const longLived = sessionToken === null || accessKeyId.startsWith('AKIA');
  if (longLived && !source.longLivedAllowed) {
    throw new CapwrapError('ERR_SOURCE_LONG_LIVED', `source "${source.label}" is a long-lived access key`, {
      hint: 'use a source that expires, such as github-actions or web-identity-file; or accept this one in the map with long_lived: allow under source',
    });
  }
  return { kind: 'keys', accessKeyId, secretAccessKey, sessionToken, longLived, label: source.label };
}

const PRINTABLE = /^[\x21-\x7e]+$/;
