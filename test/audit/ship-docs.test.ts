import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LEASE_COLUMNS } from '../../src/audit/export/csv-columns.ts';
import { ATTRIBUTE_NAMES, EVENT_NAMES } from '../../src/audit/ship/otlp-names.ts';
import { ROOT } from '../helpers/cli.ts';

const DOC = readFileSync(join(ROOT, 'docs', 'shipping.md'), 'utf8');

/** The rows of the table below a heading row. */
function table(heading: string): Record<string, string> {
  const rows = DOC.split(`| ${heading} |\n|---|---|\n`)[1]?.split('\n\n')[0] ?? '';
  return Object.fromEntries(
    [...rows.matchAll(/^\| `(.+?)` \| `(.+?)` \|$/gm)].map(([, a = '', b = '']) => [a, b]),
  );
}

test('the documented names are those that are sent', () => {
  expect(table('event | `eventName`')).toEqual(EVENT_NAMES);
  expect(table('field | attribute')).toEqual(ATTRIBUTE_NAMES);
});

test('the documented columns are those of an exported lease', () => {
  const columns = DOC.split('<!-- columns -->')[1]?.split('<!-- end -->')[0] ?? '';
  expect([...columns.matchAll(/`(.+?)`/g)].map(([, name]) => name)).toEqual(LEASE_COLUMNS);
});
