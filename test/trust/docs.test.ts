/** The page on trust shows what capwrap takes and writes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAdminConfig } from '../../src/base/admin-config.ts';
import { MAP_TRUST_GRADES } from '../../src/base/map-trust.ts';
import { parseMap } from '../../src/policy/parse.ts';
import { adminKeys, mapKeys } from '../../src/trust/approver-keys.ts';
import { MAP_NAMESPACE, readStatement } from '../../src/trust/statement.ts';
import { ROOT } from '../helpers/cli.ts';

const DOC = readFileSync(join(ROOT, 'docs', 'trust.md'), 'utf8');
const blocks = [...DOC.matchAll(/^(?: {4}.*\n)+/gm)].map(([block]) => block.replaceAll(/^ {4}/gm, ''));
const block = (part: string) => blocks.find((each) => each.includes(part)) ?? '';

test('every grade has its row', () => {
  for (const grade of MAP_TRUST_GRADES) expect(DOC).toMatch(new RegExp(`^\\| \`${grade}\` \\|`, 'm'));
});

test("the administrator's config and the approvers of a map are valid", () => {
  const admin = parseAdminConfig(block('/etc/capwrap/config.yaml'), '/etc/capwrap/config.yaml', 1000);
  expect(admin.requireMapTrust).toBe('signed');
  expect(adminKeys(admin).map(({ principal }) => principal)).toEqual(['alice']);
  const capability = 'x: {provider: local-issuer, audience: a, scope: [s], rules: [{allow: {repo: r}}]}';
  const map = `${block('version: 1')}capabilities: {${capability}}\n`;
  const origin = { path: '/m/capabilities.yaml', dir: '/m', sha256: '0' };
  expect(mapKeys(parseMap(Buffer.from(map), origin)).map(({ key }) => key.comment)).toEqual([
    'alice@example',
  ]);
});

test('the statement is one, to the byte', () => {
  expect(readStatement(block('capwrap_map_trust'))).toMatchObject({ repo: 'acme/web-app' });
  expect(block('ssh-keygen')).toContain(`-n ${MAP_NAMESPACE} `);
});
