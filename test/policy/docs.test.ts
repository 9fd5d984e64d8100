/** docs/map.md speaks of the denials and facts that there are, and its examples are valid. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAdminConfig } from '../../src/base/admin-config.ts';
import { DENY_REASONS } from '../../src/policy/decision.ts';
import { parseMap } from '../../src/policy/parse.ts';
import { FACT_NAMES } from '../../src/request/facts.ts';
import { ROOT } from '../helpers/cli.ts';

const DOC = readFileSync(join(ROOT, 'docs', 'map.md'), 'utf8');

test('every reason of a denial is explained', () => {
  const [, table = ''] = DOC.split('## Denials');
  const named = [...table.matchAll(/^\| `([a-z_]+)`/gm)].map(([, name]) => name);
  expect(named.slice(0, DENY_REASONS.length)).toEqual([...DENY_REASONS]);
});

test('every fact is named with where it is learnt', () => {
  const [, table = ''] = DOC.split('## Facts, and how they are known');
  for (const name of FACT_NAMES) expect(table).toMatch(new RegExp(`^\\|[^|]*\`${name}\``, 'm'));
});

test('the examples are valid', () => {
  const [config = '', rules = ''] = [...DOC.matchAll(/^(?: {4}.*\n)+/gm)].map(([block]) =>
    block.replaceAll(/^ {4}/gm, ''),
  );
  expect(parseAdminConfig(config, '/etc/capwrap/config.yaml', 1000)).toEqual({
    stateDir: '/var/lib/capwrap/1000',
    requireMapTrust: 'admin_owned',
    approvers: [],
    audit: {},
  });
  const map = `version: 1\ncapabilities:\n  x:\n    provider: local-issuer\n    audience: a\n    scope: [s]\n${rules.replaceAll(/^/gm, '    ')}`;
  const parsed = parseMap(Buffer.from(map), { path: '/m/capabilities.yaml', dir: '/m', sha256: '0' });
  expect(parsed.capabilities.get('x')?.rules).toHaveLength(3);
});
