/** The shipped JSON Schema says what the parser says, as far as a schema can. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { mapJsonSchema } from '../../src/policy/json-schema.ts';
import { ROOT } from '../helpers/cli.ts';
import { accepts } from './json-schema-validator.ts';

const SHIPPED = join(ROOT, 'schema', 'capabilities.schema.json');
const CASES = join(ROOT, 'test', 'cases', 'map');
const schema = JSON.parse(readFileSync(SHIPPED, 'utf8'));

/** What takes two fields, a list of names or YAML itself to see; the schema lets it pass. */
const BEYOND_A_SCHEMA =
  /^(?:alias-|approvers-missing|aws-tags-by-case|command-home|command\.|credential-values|directive|duplicate-keys|env-clash|env-pass|keys-|merge-key|patterns-control|scope-broad|second-document|source-token-conflict|syntax-|tag\.)/;

function read(folder: string, name: string): unknown {
  return parse(readFileSync(join(CASES, folder, name), 'utf8'), { schema: 'core' });
}

describe('schema/capabilities.schema.json', () => {
  it('is what the source makes', () => {
    expect(readFileSync(SHIPPED, 'utf8')).toBe(`${JSON.stringify(mapJsonSchema(), null, 2)}\n`);
  });

  it.each(readdirSync(join(CASES, 'valid')))('accepts valid/%s', (name) => {
    expect(accepts(schema, read('valid', name))).toBe(true);
  });

  it.each(readdirSync(join(CASES, 'invalid')).filter((name) => !BEYOND_A_SCHEMA.test(name)))(
    'refuses invalid/%s',
    (name) => {
      expect(accepts(schema, read('invalid', name))).toBe(false);
    },
  );

  it('describes every key that an author can write', () => {
    const undescribed: string[] = [];
    const visit = (node: Record<string, unknown>, place: string) => {
      for (const [key, child] of Object.entries(
        (node['properties'] ?? {}) as Record<string, Record<string, unknown>>,
      )) {
        if (typeof child['description'] !== 'string') undescribed.push(`${place}.${key}`);
        visit(child, `${place}.${key}`);
      }
      for (const list of ['oneOf', 'anyOf'] as const) {
        for (const child of (node[list] ?? []) as Record<string, unknown>[]) visit(child, place);
      }
      for (const inner of ['items', 'additionalProperties'] as const) {
        if (typeof node[inner] === 'object') visit(node[inner] as Record<string, unknown>, `${place}[]`);
      }
    };
    visit(schema, 'map');
    for (const [name, definition] of Object.entries(schema.$defs))
      visit(definition as Record<string, unknown>, name);
    expect(undescribed.filter((place) => !/^(?:test\.given|.*sources)\./.test(place))).toEqual([]);
  });
});
