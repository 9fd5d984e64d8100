/** What ships with capwrap beside the program. */
import { readFileSync } from 'node:fs';
import { CapwrapError } from '../errors.ts';

/** `dist/NAME` or `schema/NAME` of the installation. Throws ERR_INTERNAL where it is missing. */
export function readShippedFile(folder: 'dist' | 'schema', name: string): Buffer {
  // Seen from the program in dist/, and from here in the source tree.
  for (const root of ['..', '../..']) {
    try {
      return readFileSync(new URL(`${root}/${folder}/${name}`, import.meta.url));
    } catch {
      // not here
    }
  }
  throw new CapwrapError('ERR_INTERNAL', `"${name}" is missing from the installation`, {
    hint: 'install capwrap again',
  });
}
