/** A file that holds one secret and nothing else. */
import { CapwrapError } from '../../../errors.ts';
import type { BrokerContext } from '../../provider.ts';
import { assertUnexposed, readSourceFile } from '../../sources/source-file.ts';

/** Far above what tokens and secret ids of Vault have. */
const MAX_BYTES = 8 * 1024;

/** Registers the secret under `name`. Throws ERR_SOURCE_UNAVAILABLE or ERR_SOURCE_INVALID with the file's name. */
export function readSecretFile(path: string, name: string, context: BrokerContext): string {
  const file = readSourceFile(path, MAX_BYTES);
  if (file === null) {
    throw new CapwrapError('ERR_SOURCE_UNAVAILABLE', `"${path}" does not exist`, {
      hint: 'the map names it under auth; is this the right machine?',
    });
  }
  const secret = file.text.replace(/\r?\n$/, '');
  if (secret !== '') context.registerSecret(name, secret);
  assertUnexposed(file);
  const hint = 'write the secret that the map names there into it, and nothing else; chmod 600';
  if (secret === '') throw new CapwrapError('ERR_SOURCE_UNAVAILABLE', `"${path}" is empty`, { hint });
  if (/[\u0000-\u001f\u007f]/.test(secret)) {
    throw new CapwrapError('ERR_SOURCE_INVALID', `"${path}" does not hold one secret on one line`, { hint });
  }
  return secret;
}
