import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Bar, layOut } from '../../src/report-page/lanes.ts';

const bars = fc.array(fc.tuple(fc.nat(1000), fc.nat(200), fc.boolean()), { maxLength: 60 }).map((list) =>
  list
    .sort(([a], [b]) => a - b)
    .map(
      ([start, length, point], lease): Bar => ({
        lease,
        start,
        until: point ? start : start + length,
        point,
      }),
    ),
);

test('each bar is drawn once, in a lane of its group, and hides no other', () => {
  fc.assert(
    fc.property(bars, fc.integer({ min: 1, max: 5 }), (list, names) => {
      const layout = layOut(list, (lease) => `group ${lease % names}`);
      const lanes = layout.groups.flatMap((group) =>
        group.lanes.map((lane) => ({ ...lane, group: group.name })),
      );
      const drawn = lanes.flatMap((lane) => lane.bars.map(({ lease }) => [lease, lane.group]));
      expect(drawn.sort()).toEqual(list.map(({ lease }) => [lease, `group ${lease % names}`]).sort());
      expect(layout.covered).toBe(0);
      for (const { bars } of lanes) {
        for (const [at, bar] of bars.entries()) {
          const next = bars[at + 1];
          if (next && !bar.point) expect(next.start).toBeGreaterThanOrEqual(bar.until);
        }
      }
      for (const [at, { top, height }] of layout.groups.entries()) {
        expect(top + height).toBeLessThanOrEqual(layout.groups[at + 1]?.top ?? layout.height);
      }
    }),
  );
});

test('bars that are more than there is room for stand over others, and are counted', () => {
  const list = Array.from(
    { length: 500 },
    (_, lease): Bar => ({ lease, start: lease, until: 10_000, point: false }),
  );
  const layout = layOut(list, () => 'one');
  expect(layout.groups[0]?.lanes).toHaveLength(240);
  expect(layout.covered).toBe(260);
  expect(layout.height).toBeLessThan(600);
});

test('of too many groups the smallest are one, and no bar is lost', () => {
  const list = Array.from(
    { length: 300 },
    (_, lease): Bar => ({ lease, start: lease, until: lease + 1, point: false }),
  );
  const layout = layOut(list, (lease) => (lease < 100 ? `often ${lease % 10}` : `once ${lease}`));
  expect(layout.groups).toHaveLength(24);
  expect(layout.groups.at(-1)?.name).toBe('187 others');
  expect(layout.groups.flatMap(({ lanes }) => lanes.flatMap(({ bars }) => bars))).toHaveLength(300);
});
