/** docs/review.md has a row for each code of a finding, with the severity that it has. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FINDING_CODES } from '../../src/policy/finding.ts';
import { CAPABILITY_CHECKS, RULE_CHECKS } from '../../src/policy/lint/lint-map.ts';
import { ROOT } from '../helpers/cli.ts';

const DOC = readFileSync(join(ROOT, 'docs', 'review.md'), 'utf8');
const SECTION = DOC.split('\n## ').find((part) => part.startsWith('Findings of check\n')) ?? '';

test('every finding is explained, in the order of the codes', () => {
  const rows = [...SECTION.matchAll(/^\| `([a-z_]+)` \| (\w+) \| (.+) \| (.+) \| (.+) \|$/gm)];
  const severities = new Map<string, string>(
    [...CAPABILITY_CHECKS, ...RULE_CHECKS].map(({ code, severity }) => [code, severity]),
  );
  expect(rows.map(([, code, severity]) => [code, severity])).toEqual(
    FINDING_CODES.map((code) => [code, severities.get(code)]),
  );
});

test('what it says of facts can be looked up', () => {
  const map = readFileSync(join(ROOT, 'docs', 'map.md'), 'utf8');
  expect(SECTION).toContain('map.md#facts-and-how-they-are-known');
  expect(map).toContain('\n## Facts, and how they are known\n');
});
