/** The timeline as shapes: all bars of one colour are one shape, so that 50,000 leases are a dozen of them. */
import type { LeaseFacts } from '../audit/report/lease-facts.ts';
import { Batches } from './batches.ts';
import type { Layout } from './lanes.ts';
import { HUES, type Hue, hueOf, type Sign, signsOf } from './marks.ts';
import { ALL_SIGNS } from './shapes.ts';
import { type Span, visible } from './spans.ts';

export type Colours = Readonly<Record<Hue | 'ink' | 'muted' | 'line' | 'ground' | 'panel', string>>;

export interface Scene {
  readonly layout: Layout;
  readonly facts: readonly LeaseFacts[];
  readonly colours: Colours;
  /** When the log was read. */
  readonly read: number;
}

/** The part of the page that is drawn on, and the times at its edges. */
export interface View {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly from: number;
  readonly to: number;
}

/** Drawn in this order: what matters most is on top. */
const LAYERS: readonly Hue[] = [...HUES.filter((hue) => hue !== 'leak'), 'leak'];

const HOLLOW = 'unfinished';

/** The elements of a custom series (ECharts, series-custom.renderItem). */
export function drawScene({ layout, facts, colours, read }: Scene, view: View): object {
  const { left, top, width, from, to } = view;
  const scale = width / Math.max(1, to - from);
  const toX = (time: number) => left + Math.min(Math.max((time - from) * scale, -4), width + 4);
  const tails = new Batches<Hue>();
  const bars = new Batches<Hue>();
  const signs = new Batches<`${Sign}${Hue}`>();
  for (const { lanes } of layout.groups) {
    for (const lane of lanes) {
      const inset = lane.height > 5 ? 1 : 0;
      const [y, height] = [top + lane.top + inset, lane.height - inset * (lane.height > 5 ? 2 : 1)];
      const size = Math.min(6, Math.max(4, lane.height / 2));
      for (const span of visible(lane.bars as readonly Span[], from, to)) {
        const lease = facts[span.lease];
        if (!lease) continue;
        const hue = hueOf(lease);
        const x = toX(span.start);
        const end = Math.max(toX(span.ran), x + LEAST_WIDTH);
        if (!span.point) {
          if (bars.isNew(hue, end, y)) bars.add(hue, [x, y, end - x, height]);
          const tail = toX(span.usable);
          if (tail > end && tails.isNew(hue, tail, y)) tails.add(hue, [end, y, tail - end, height]);
        }
        for (const [nth, sign] of signsOf(lease).entries()) {
          const key = `${sign}${hue}` as const;
          const at = x + (span.point ? 0 : size) + nth * 2 * size;
          if (signs.isNew(key, at, y, at + size)) signs.add(key, [at, y + height / 2, size]);
        }
      }
    }
  }
  return {
    type: 'group',
    silent: true,
    children: [
      ...stripes({ layout, colours }, view),
      ...LAYERS.map((hue) => ({
        type: 'bars',
        shape: { rects: tails.of(hue) },
        style:
          hue === HOLLOW
            ? { fill: 'none', stroke: colours[hue], lineWidth: 1, lineDash: [3, 2] }
            : { fill: colours[hue], opacity: 0.3 },
      })),
      ...LAYERS.map((hue) => ({
        type: 'bars',
        shape: { rects: bars.of(hue) },
        style:
          hue === HOLLOW
            ? { fill: colours.ground, stroke: colours[hue], lineWidth: 1.5 }
            : { fill: colours[hue] },
      })),
      ...LAYERS.flatMap((hue) =>
        ALL_SIGNS.map((sign) => ({
          type: 'signs',
          shape: { points: signs.of(`${sign}${hue}`), sign },
          style:
            sign === '✕' || sign === '○'
              ? { fill: 'none', stroke: colours[hue], lineWidth: 1.75 }
              : { fill: colours[hue], stroke: colours.ground, lineWidth: 1 },
        })),
      ),
      nowLine(colours, view, toX(read), layout.height),
    ],
  };
}

/** Pixels: a lease of a second in a year is seen all the same. */
const LEAST_WIDTH = 2;

function stripes(
  { layout, colours }: Pick<Scene, 'layout' | 'colours'>,
  { left, top, width }: View,
): object[] {
  return layout.groups.map((group, at) => ({
    type: 'rect',
    shape: { x: left, y: top + group.top - 3, width, height: group.height + 6 },
    style: { fill: at % 2 === 0 ? colours.panel : colours.ground },
  }));
}

function nowLine(colours: Colours, { left, top, width }: View, x: number, height: number): object {
  return {
    type: 'line',
    invisible: x <= left || x >= left + width,
    shape: { x1: x, y1: top, x2: x, y2: top + height },
    style: { stroke: colours.muted, lineWidth: 1, lineDash: [4, 3] },
  };
}
