/** `capwrap schema`: the JSON Schema of the map, for editors and CI. */
import { readFileSync } from 'node:fs';
import { CapwrapError } from '../errors.ts';
import type { Command } from './command.ts';

// Beside dist/ in the package; two levels up in the source tree.
const PLACES = ['../schema/capabilities.schema.json', '../../schema/capabilities.schema.json'];

/** Prints the schema that ships with this version. */
export const schema: Command<object> = async (context) => {
  await context.out(readSchema());
  return 0;
};

function readSchema(): string {
  for (const place of PLACES) {
    try {
      return readFileSync(new URL(place, import.meta.url), 'utf8');
    } catch {
      // not here
    }
  }
  throw new CapwrapError('ERR_INTERNAL', '"capabilities.schema.json" is missing from the installation', {
    hint: 'install capwrap again',
  });
}
