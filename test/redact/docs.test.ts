/** The page's table of forms is the code's. `UPDATE_DOCS=1 npx vitest run test/redact/docs.test.ts` writes it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FORMS } from '../../src/redact/forms.ts';
import { ROOT } from '../helpers/cli.ts';

const PAGE = join(ROOT, 'docs', 'masking.md');
const BEGIN = '<!-- forms: begin -->\n';
const END = '<!-- forms: end -->';

function table(): string {
  const rows = FORMS.map(({ id, covers }) => `| \`${id}\` | ${covers.replaceAll('|', '\\|')} |\n`);
  return `| form | covers |\n|---|---|\n${rows.join('')}`;
}

it('lists the forms that the code makes', () => {
  const page = readFileSync(PAGE, 'utf8');
  const from = page.indexOf(BEGIN) + BEGIN.length;
  const to = page.indexOf(END);
  const wanted = page.slice(0, from) + table() + page.slice(to);
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(PAGE, wanted);
  else expect(page, 'UPDATE_DOCS=1 npx vitest run test/redact/docs.test.ts writes the table').toBe(wanted);
  expect(from).toBeGreaterThanOrEqual(BEGIN.length);
  expect(to).toBeGreaterThan(from);
});
