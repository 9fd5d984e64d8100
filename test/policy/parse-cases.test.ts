/** Maps as files: each valid one is accepted and passes its own tests, each invalid one has exactly the faults at its top. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MapInvalidError } from '../../src/policy/fault.ts';
import { countPolicyTests, runPolicyTests } from '../../src/policy/inline-tests.ts';
import { analyseMap, parseMap } from '../../src/policy/parse.ts';
import { ROOT } from '../helpers/cli.ts';

const CASES = join(ROOT, 'test', 'cases', 'map');
const origin = { path: '/repo/capabilities.yaml', dir: '/repo', sha256: 'f'.repeat(64) };

function filesOf(folder: string): string[] {
  return readdirSync(join(CASES, folder)).sort();
}

describe('valid maps', () => {
  it.each(filesOf('valid'))('%s', (name) => {
    const { map, faults } = analyseMap(readFileSync(join(CASES, 'valid', name)), origin);
    expect(faults).toEqual([]);
    expect(map && runPolicyTests(map).map(({ message }) => message)).toEqual([]);
    expect(map?.capabilities.size).toBeGreaterThan(0);
  });

  it('some of them have tests of their own', () => {
    const counts = filesOf('valid').map((name) =>
      countPolicyTests(parseMap(readFileSync(join(CASES, 'valid', name)), origin)),
    );
    expect(Math.max(...counts)).toBeGreaterThan(5);
  });
});

describe('invalid maps', () => {
  it.each(filesOf('invalid'))('%s', (name) => {
    const bytes = readFileSync(join(CASES, 'invalid', name));
    const expected = /^(?:# .*\n)+/.exec(bytes.toString('utf8'))?.[0].trimEnd().split('\n');
    const { map, faults } = analyseMap(bytes, origin);
    expect(map).toBeNull();
    expect(
      faults.map(
        ({ line, column, code, message, fix }) =>
          `# ${line}:${column} ${code} ${message}${fix === null ? '' : ` | ${fix}`}`,
      ),
    ).toEqual(expected);
    expect(() => parseMap(bytes, origin)).toThrow(MapInvalidError);
  });
});
