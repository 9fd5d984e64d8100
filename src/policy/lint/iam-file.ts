/** Reads the reference of IAM actions that ships with capwrap. Only `capwrap check` and `audit reconcile` ask for it. */
import { brotliDecompressSync } from 'node:zlib';
import { readShippedFile } from '../../base/shipped-file.ts';
import { CapwrapError } from '../../errors.ts';
import { type IamActions, iamActionsFrom, type StoredIamActions } from './iam-actions.ts';

const NAME = 'iam-actions.json.br';

/** The reference of the installed version. Throws ERR_INTERNAL where it is missing or damaged. */
export function readIamActions(): IamActions {
  const bytes = readShippedFile('dist', NAME);
  try {
    return iamActionsFrom(JSON.parse(brotliDecompressSync(bytes).toString('utf8')) as StoredIamActions);
  } catch {
    throw new CapwrapError('ERR_INTERNAL', `"${NAME}" is damaged`, { hint: 'install capwrap again' });
  }
}
