/** What is claimed of each provider is what its module can do, and what the document says. `UPDATE_DOCS=1` writes the table. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CLAIMS, claimsTable } from '../../src/broker/claims.ts';
import { loadProvider } from '../../src/broker/registry.ts';
import type { ProviderName } from '../../src/policy/capability.ts';
import { PROVIDERS } from '../../src/policy/providers/index.ts';
import { ROOT } from '../helpers/cli.ts';

const DOC = join(ROOT, 'docs', 'providers.md');
const [BEGIN, END] = ['<!-- claims -->', '<!-- /claims -->'];

test('the table in the document is made from the code', () => {
  const text = readFileSync(DOC, 'utf8');
  const [before = '', rest = ''] = text.split(BEGIN);
  const [, after] = rest.split(END);
  if (after === undefined) throw new Error('the document has lost its marks');
  const made = `${before}${BEGIN}\n\n${claimsTable()}\n\n${END}${after}`;
  if (process.env['UPDATE_DOCS']) writeFileSync(DOC, made);
  expect(readFileSync(DOC, 'utf8')).toBe(made);
});

test('every provider has its claims, and a section in the document', () => {
  const names = PROVIDERS.map(({ name }) => name);
  expect(Object.keys(CLAIMS).sort()).toEqual([...names].sort());
  const text = readFileSync(DOC, 'utf8');
  for (const name of names) expect(text).toMatch(new RegExp(`^## ${name}\\b`, 'm'));
});

test.each(Object.entries(CLAIMS))('%s claims what its module can do', async (name, claims) => {
  const provider = await loadProvider(name as ProviderName);
  expect(claims.some(({ end }) => end !== null)).toBe(provider.end !== undefined);
  expect(claims.some(({ probe }) => probe !== null)).toBe(provider.probe !== undefined);
  expect(claims.some(({ reaped }) => reaped === 'ended by its handle')).toBe(
    provider.endByHandle !== undefined,
  );
  for (const claim of claims) {
    // Nothing is revoked without an end, and nothing verified without a look.
    expect(claim.best.startsWith('revoked_')).toBe(claim.end !== null);
    expect(claim.best === 'revoked_verified').toBe(claim.end !== null && claim.probe !== null);
  }
});
