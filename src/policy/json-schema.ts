/** The JSON Schema of the map, for editors and CI; made at build time and shipped as a file. */
import { toJsonSchema } from '@valibot/to-json-schema';
import { mapSchema } from './schema.ts';
import { policyTest, rule } from './schema-rules.ts';

/** Draft-07, the newest draft that the YAML language servers of common editors support in full. */
export function mapJsonSchema(): object {
  const schema = toJsonSchema(mapSchema, {
    target: 'draft-07',
    typeMode: 'output',
    definitions: { rule, test: policyTest },
    // Not expressible: mappings that are no lists (which JSON Schema tells apart anyway), and URL syntax.
    ignoreActions: ['check'],
    overrideSchema: ({ valibotSchema }) => (valibotSchema.type === 'custom' ? {} : undefined),
    overrideAction: ({ valibotAction, jsonSchema }) => {
      if (valibotAction.type === 'raw_check') return { ...jsonSchema, additionalProperties: false };
      // JSON Schema patterns are Unicode-aware by definition, so the flag goes without saying.
      if (valibotAction.type === 'regex' && 'requirement' in valibotAction) {
        return { ...jsonSchema, pattern: (valibotAction.requirement as RegExp).source };
      }
      return undefined;
    },
  });
  const { $schema, ...rest } = schema;
  return { $schema, title: 'capwrap capability map', ...rest };
}
