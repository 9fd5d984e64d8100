/** The kinds of shape that the timeline is drawn with: rectangles, and signs, many of them in one. */
import { graphic } from 'echarts/core';
import type { Sign } from './marks.ts';

interface Rects {
  /** x, y, width and height of each. */
  readonly rects: readonly number[];
}

interface Points {
  /** Centre and size of each. */
  readonly points: readonly number[];
  readonly sign: Sign;
}

type Path = Pick<CanvasPath, 'moveTo' | 'lineTo' | 'closePath' | 'rect' | 'arc'>;

graphic.registerShape(
  'bars',
  graphic.extendShape({
    shape: { rects: [] as number[] },
    buildPath(path, { rects }: Rects) {
      for (let at = 0; at < rects.length; at += 4) {
        path.rect(rects[at] ?? 0, rects[at + 1] ?? 0, rects[at + 2] ?? 0, rects[at + 3] ?? 0);
      }
    },
  }),
);
graphic.registerShape(
  'signs',
  graphic.extendShape({
    shape: { points: [] as number[], sign: '' },
    buildPath(path, { points, sign }: Points) {
      const draw = SIGNS[sign];
      for (let at = 0; at < points.length; at += 3) {
        draw(path, points[at] ?? 0, points[at + 1] ?? 0, points[at + 2] ?? 0);
      }
    },
  }),
);

/** A sign around a centre, `size` to each side. */
const SIGNS: Readonly<Record<Sign, (path: Path, x: number, y: number, size: number) => void>> = {
  '': () => undefined,
  '◆': (path, x, y, size) => polygon(path, [x, y - size, x + size, y, x, y + size, x - size, y]),
  '▲': (path, x, y, size) => polygon(path, [x, y - size, x + size, y + size, x - size, y + size]),
  '■': (path, x, y, size) => path.rect(x - size * 0.8, y - size * 0.8, size * 1.6, size * 1.6),
  '□': () => undefined, // the bar itself is hollow
  '○': (path, x, y, size) => {
    path.moveTo(x + size * 0.8, y);
    path.arc(x, y, size * 0.8, 0, 2 * Math.PI);
  },
  '✕': (path, x, y, size) => {
    const arm = size * 0.8;
    path.moveTo(x - arm, y - arm);
    path.lineTo(x + arm, y + arm);
    path.moveTo(x - arm, y + arm);
    path.lineTo(x + arm, y - arm);
  },
};

function polygon(path: Path, [x = 0, y = 0, ...rest]: readonly number[]): void {
  path.moveTo(x, y);
  for (let at = 0; at < rest.length; at += 2) path.lineTo(rest[at] ?? 0, rest[at + 1] ?? 0);
  path.closePath();
}

export const ALL_SIGNS = Object.keys(SIGNS) as readonly Sign[];
