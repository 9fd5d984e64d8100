/** schema/explain.schema.json names the words that there are. That real outputs fit it is for cli/explain.test.ts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { APPROVAL_GRADES } from '../../src/base/approval-grade.ts';
import { MAP_TRUST_GRADES } from '../../src/base/map-trust.ts';
import { DENY_REASONS } from '../../src/policy/decision.ts';
import { FACT_NAMES, FACT_SOURCES } from '../../src/request/facts.ts';
import { ROOT } from '../helpers/cli.ts';

const schema = JSON.parse(readFileSync(join(ROOT, 'schema', 'explain.schema.json'), 'utf8'));
const { allow, deny, condition, fact, approval_demand: demand } = schema.$defs;
const sources = [...FACT_SOURCES, 'unknown'];

test.each([
  ['reasons of a denial', deny.properties.reason.enum, DENY_REASONS],
  ['grades of trust', schema.properties.map.properties.grade.enum, MAP_TRUST_GRADES],
  ['grades of an approval', demand.anyOf[1].properties.grade.enum, APPROVAL_GRADES.slice(1)],
  ['facts', Object.keys(schema.properties.facts.properties), FACT_NAMES],
  ['conditions', condition.properties.condition.enum, [...FACT_NAMES, 'command']],
  ['sources of a fact', fact.properties.source.enum, sources],
  ['sources of an observed value', condition.properties.source.enum, sources],
])('%s', (_what, listed, known) => {
  expect([...listed].sort()).toEqual([...known].sort());
});

test('every reference leads somewhere, and every key says what it holds', () => {
  const bare: string[] = [];
  const visit = (node: unknown, place: string): void => {
    if (node === null || typeof node !== 'object') return;
    const { $ref, properties } = node as { $ref?: string; properties?: Record<string, object> };
    if ($ref !== undefined) expect(schema.$defs).toHaveProperty($ref.replace('#/$defs/', ''));
    for (const [key, child] of Object.entries(properties ?? {})) {
      if (!('description' in child || '$ref' in child || 'const' in child)) bare.push(`${place}.${key}`);
    }
    for (const [key, child] of Object.entries(node)) visit(child, `${place}.${key}`);
  };
  visit(schema, '$');
  expect(bare).toEqual([]);
  expect(allow.required).toEqual(Object.keys(allow.properties));
});
