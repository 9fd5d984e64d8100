/** The timeline: what is drawn where, the window that is moved, and what is under the pointer. */
import { CustomChart } from 'echarts/charts';
import { DataZoomInsideComponent, DataZoomSliderComponent, GridComponent } from 'echarts/components';
import { type ECharts, init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import type { Scene } from './draw.ts';
import { type Span, visible } from './spans.ts';
import { GRID, optionOf, type Window } from './timeline-option.ts';

use([CustomChart, GridComponent, DataZoomInsideComponent, DataZoomSliderComponent, CanvasRenderer]);

export interface Timeline {
  /** Draws a scene; `range` is all of its time. Keeps the window. */
  show(scene: Scene, range: Window): void;
  move(window: Window): void;
  resize(): void;
}

export interface TimelineEvents {
  /** The window was moved by hand. */
  readonly moved: (window: Window) => void;
  /** A lease is under the pointer, with how many more; none is. */
  readonly over: (found: Found | null, x: number, y: number) => void;
  readonly picked: (lease: number) => void;
}

export interface Found {
  readonly lease: number;
  readonly others: number;
}

/** How near, in pixels, the pointer must come to what is smaller. */
const REACH = 5;

export function createTimeline(element: HTMLElement, events: TimelineEvents): Timeline {
  const chart = init(element, null, { renderer: 'canvas' });
  let scene: Scene | null = null;
  let window: Window = [0, 1];
  chart.on('datazoom', () => {
    const now = windowOf(chart);
    if (now[0] === window[0] && now[1] === window[1]) return;
    window = now;
    events.moved(window);
  });
  const canvas = chart.getZr();
  canvas.on('mousemove', ({ offsetX, offsetY }) => {
    const found = scene && find(scene, window, element.clientWidth, offsetX, offsetY);
    canvas.setCursorStyle(found ? 'pointer' : 'default');
    events.over(found, offsetX, offsetY);
  });
  canvas.on('globalout', () => events.over(null, 0, 0));
  canvas.on('click', ({ offsetX, offsetY }) => {
    const found = scene && find(scene, window, element.clientWidth, offsetX, offsetY);
    if (found) events.picked(found.lease);
  });
  return {
    show(next, range) {
      scene = next;
      element.style.height = `${Math.max(120, next.layout.height + GRID.top + GRID.bottom)}px`;
      chart.resize();
      chart.setOption(optionOf(next, range, window), { notMerge: true, lazyUpdate: false });
    },
    move(next) {
      window = next;
      chart.dispatchAction({ type: 'dataZoom', startValue: next[0], endValue: next[1] });
    },
    resize: () => chart.resize(),
  };
}

function windowOf(chart: ECharts): Window {
  const { dataZoom } = chart.getOption() as { dataZoom: readonly { startValue: number; endValue: number }[] };
  return [dataZoom[0]?.startValue ?? 0, dataZoom[0]?.endValue ?? 1];
}

/** The lease at a place of the chart, the nearest of several. */
function find(scene: Scene, [from, to]: Window, width: number, x: number, y: number): Found | null {
  const inner = width - GRID.left - GRID.right;
  if (x < GRID.left || x > width - GRID.right) return null;
  const perPixel = (to - from) / inner;
  const time = from + (x - GRID.left) * perPixel;
  const reach = REACH * perPixel;
  const lanes = scene.layout.groups.flatMap((group) => group.lanes);
  const near = lanes.filter(({ top, height }) => y - GRID.top >= top - 2 && y - GRID.top <= top + height + 2);
  const found = near.flatMap((lane) => {
    const spans = [...visible(lane.bars as readonly Span[], time - reach, time + reach)];
    return spans.map(({ lease, start, until }) => ({
      lease,
      distance:
        Math.max(0, start - time, time - until) / perPixel +
        Math.max(0, lane.top - (y - GRID.top), y - GRID.top - lane.top - lane.height),
    }));
  });
  const [nearest] = found.sort((a, b) => a.distance - b.distance);
  return nearest ? { lease: nearest.lease, others: found.length - 1 } : null;
}
