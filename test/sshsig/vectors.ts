/** Signatures that a real ssh-keygen made, so that verification is tested against it where it isn't installed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../helpers/cli.ts';

export interface Vector {
  readonly name: string;
  readonly publicKey: string;
  readonly fingerprint: string;
  readonly signature: string;
}

interface VectorFile {
  readonly namespace: string;
  readonly message: string;
  readonly vectors: readonly Vector[];
}

export const {
  namespace: NAMESPACE,
  message: MESSAGE,
  vectors: VECTORS,
} = JSON.parse(readFileSync(join(ROOT, 'test', 'sshsig', 'vectors.json'), 'utf8')) as VectorFile;
