/** Each room imports only rooms to its left; what joins them all stands to the right of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, normalize, relative } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../helpers/cli.ts';

const ROOMS = [
  ...[
    'errors.ts',
    'redact',
    'base',
    'ui',
    'sshsig',
    'request',
    'policy',
    'trust',
    'broker',
    'runner',
    'audit',
    'report-page',
    'approval',
  ],
  ...[
    'limits-of-run.ts',
    'decide.ts',
    'subject.ts',
    'trusted-map.ts',
    'use-lease.ts',
    'hold-lease.ts',
    'refuse.ts',
    'approval-of-run.ts',
    'run.ts',
    'commands',
    'program',
    'program.ts',
    'cli.ts',
    'start.ts',
  ],
];
const SRC = join(ROOT, 'src');

test('imports go from right to left', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const room = (file: string) => ROOMS.indexOf(file.split('/')[0] ?? '');
  expect(files.filter((file) => room(file) < 0)).toEqual([]);
  const imports = files.flatMap((file) =>
    [...readFileSync(join(SRC, file), 'utf8').matchAll(/(?:from |import\()'(\.[^']+)'/g)].map(
      ([, path = '']) => [file, relative(SRC, normalize(join(SRC, file, '..', path)))] as const,
    ),
  );
  expect(imports.length).toBeGreaterThan(500);
  const wrong = imports
    .filter(([from, to]) => room(to) > room(from))
    .map(([from, to]) => `${from} imports ${to}`);
  expect(wrong).toEqual([]);
});
