/** What the documentation of reconciling lists is what there is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { reasonWords } from '../../../src/audit/reconcile/reason-words.ts';
import {
  OPEN_REASONS,
  REUSE_KINDS,
  STATEMENTS,
  VERDICTS,
} from '../../../src/audit/record/reconciled-record.ts';
import { AUDIT_RECONCILE } from '../../../src/ui/help.ts';
import { ROOT } from '../../helpers/cli.ts';

const DOC = readFileSync(join(ROOT, 'docs', 'reconcile.md'), 'utf8');
const section = (title: string) => DOC.split(/^## /m).find((part) => part.startsWith(title)) ?? '';
const listed = (text: string) => [...text.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]);

test('reasons, verdicts and kinds of reuse are documented, in their order', () => {
  expect(listed(section('Why a verdict stays open'))).toEqual(OPEN_REASONS);
  const [verdicts, kinds = ''] = section('What must have been seen').split('**The lease');
  expect(listed(verdicts ?? '').sort()).toEqual([...VERDICTS].sort());
  expect(listed(kinds)).toEqual(REUSE_KINDS);
});

test('each statement is an option that says so', () => {
  for (const name of STATEMENTS)
    expect(section('Statements')).toContain(`- \`--${name.replace('_', '-')}\`: `);
});

test('the commands shown are examples of the help, which are run', () => {
  const shown = [...DOC.matchAll(/^ {4}(capwrap .*)$/gm)].map((match) => match[1] ?? '');
  expect(shown).toHaveLength(2);
  for (const line of shown) expect(AUDIT_RECONCILE).toContain(`  ${line}\n`);
});

test('each reason has words, which fit a line', () => {
  for (const reason of OPEN_REASONS) expect(reasonWords(reason)).toMatch(/^[a-zL].{20,100}[^.]$/);
});
