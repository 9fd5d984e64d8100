/** Reads the reference of IAM actions that ships with capwrap. Only `capwrap check` asks for it. */
import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import { CapwrapError } from '../../errors.ts';
import { type IamActions, iamActionsFrom, type StoredIamActions } from './iam-actions.ts';

// Beside the program in dist/; from the source tree, in the dist/ that the last build made.
const PLACES = ['./iam-actions.json.br', '../../../dist/iam-actions.json.br'];

/** The reference of the installed version. Throws ERR_INTERNAL where it is missing or damaged. */
export function readIamActions(): IamActions {
  const bytes = firstOf(PLACES);
  try {
    if (bytes !== null)
      return iamActionsFrom(JSON.parse(brotliDecompressSync(bytes).toString('utf8')) as StoredIamActions);
  } catch {
    // damaged: said below
  }
  const fault = bytes === null ? 'missing from the installation' : 'damaged';
  throw new CapwrapError('ERR_INTERNAL', `"iam-actions.json.br" is ${fault}`, {
    hint: 'install capwrap again',
  });
}

function firstOf(places: readonly string[]): Buffer | null {
  for (const place of places) {
    try {
      return readFileSync(new URL(place, import.meta.url));
    } catch {
      // not here
    }
  }
  return null;
}
