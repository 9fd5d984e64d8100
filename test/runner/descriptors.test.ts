import { describe, expect, it } from 'vitest';
import { namedDescriptors } from '../../src/runner/descriptors.ts';

describe('the descriptors that a command names', () => {
  const OPEN = new Set([0, 1, 2, 5, 12, 63, 1023]);
  const ROWS: readonly (readonly [argv: readonly string[], expected: readonly number[]])[] = [
    [['cat', '/dev/fd/63'], [63]],
    [['cat', '/proc/self/fd/12'], [12]],
    [
      ['diff', '/dev/fd/63', '/dev/fd/12'],
      [63, 12],
    ],
    [['/dev/fd/5'], [5]],
    [['cat', '/dev/fd/1023'], [1023]],
    // Not open for the caller: the number may be one of Node's.
    [['cat', '/dev/fd/62'], []],
    [['cat', '/proc/self/fd/3'], []],
    // The child has these anyhow, and they are masked.
    [['cat', '/dev/fd/0', '/dev/fd/1', '/dev/fd/2', '/dev/stdin'], []],
    // Words that are not exactly such a name.
    [['cat', '--file=/dev/fd/63'], []],
    [['cat', '/dev/fd/63x', 'x/dev/fd/63', '/dev/fd/', '/dev/fd/-5', '/dev/fd/ 5'], []],
    [['cat', '/dev/fd/63/../5', '/dev/fd//5', '/dev//fd/5', '/proc/1/fd/5'], []],
    [['cat', '/dev/fd/5\n', '/dev/fd/5\n/dev/fd/12', '/DEV/FD/5'], []],
    [['cat', '/dev/fd/00005', `/dev/fd/${'9'.repeat(400)}`], []],
    [[], []],
  ];
  it.each(ROWS)('%j: %j', (argv, expected) => {
    expect(namedDescriptors(argv, OPEN)).toEqual(expected);
  });

  it('are none where it is not known what the caller left open', () => {
    expect(namedDescriptors(['cat', '/dev/fd/63'], null)).toEqual([]);
  });
});
