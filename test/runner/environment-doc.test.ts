import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SYSTEM_PATH } from '../../src/base/system-path.ts';
import { ISOLATION_NAMES } from '../../src/policy/isolation-names.ts';
import { DEFAULT_PASS } from '../../src/policy/normalise.ts';
import { ROOT } from '../helpers/cli.ts';

const page = readFileSync(join(ROOT, 'docs', 'environment.md'), 'utf8');

it('documents the isolation names', () => {
  const section = page.slice(page.indexOf('## Isolation'), page.indexOf('The file and folders lie'));
  expect([...section.matchAll(/^\| `([A-Z0-9_]+)`/gm)].map(([, name]) => name)).toEqual([...ISOLATION_NAMES]);
});

it('documents the default list and the system path', () => {
  expect(page.replaceAll('\n', ' ')).toContain(`\`${DEFAULT_PASS.join(' ')}\``);
  expect(page).toContain(`\`${SYSTEM_PATH}\``);
});
