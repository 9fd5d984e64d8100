/** `capwrap schema`: the JSON Schema of the map, for editors and CI. */
import { readShippedFile } from '../base/shipped-file.ts';
import type { Command } from './command.ts';

/** Prints the schema that ships with this version. */
export const schema: Command<object> = async (context) => {
  await context.out(readShippedFile('schema', 'capabilities.schema.json').toString('utf8'));
  return 0;
};
