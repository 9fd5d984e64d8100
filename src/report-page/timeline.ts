/** The timeline: ECharts for its axis, zoom and drawing. */
import { CustomChart } from 'echarts/charts';
import { DataZoomInsideComponent, DataZoomSliderComponent, GridComponent } from 'echarts/components';
import { type ECharts, init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { escapeText } from '../base/escape.ts';
import { drawScene, type Scene } from './draw.ts';
import { type Span, visible } from './spans.ts';

use([CustomChart, GridComponent, DataZoomInsideComponent, DataZoomSliderComponent, CanvasRenderer]);

/** Milliseconds. */
export type Window = readonly [from: number, to: number];

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

const GRID = { left: 190, right: 16, top: 6, bottom: 72 };

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

/** By the unit that a mark on the axis stands for (ECharts, time axis, formatter). */
const TIME_LABELS = {
  year: '{yyyy}',
  month: '{MMM} {yyyy}',
  day: '{d} {MMM}',
  hour: '{HH}:{mm}',
  minute: '{HH}:{mm}',
  second: '{HH}:{mm}:{ss}',
  millisecond: '{HH}:{mm}:{ss}.{SSS}',
};

function windowOf(chart: ECharts): Window {
  const { dataZoom } = chart.getOption() as { dataZoom: readonly { startValue: number; endValue: number }[] };
  return [dataZoom[0]?.startValue ?? 0, dataZoom[0]?.endValue ?? 1];
}

function optionOf(scene: Scene, range: Window, [startValue, endValue]: Window): Record<string, unknown> {
  const { layout, colours } = scene;
  const names = new Map(layout.groups.map((group) => [group.top + group.height / 2, group.name]));
  const axisLabel = { color: colours.muted, fontFamily: 'system-ui, sans-serif', fontSize: 11 };
  const zoom = { startValue, endValue, filterMode: 'none', minValueSpan: 1000, throttle: 30 };
  return {
    animation: false,
    useUTC: true,
    backgroundColor: colours.ground,
    grid: { ...GRID, containLabel: false },
    xAxis: {
      type: 'time',
      min: range[0],
      max: range[1],
      axisLabel: { ...axisLabel, hideOverlap: true, formatter: TIME_LABELS },
      axisLine: { lineStyle: { color: colours.line } },
      splitLine: { show: true, lineStyle: { color: colours.line } },
    },
    yAxis: {
      type: 'value',
      inverse: true,
      min: 0,
      max: layout.height,
      axisLabel: {
        ...axisLabel,
        customValues: [...names.keys()],
        formatter: (middle: number) => escapeText(names.get(middle) ?? ''),
        width: GRID.left - 20,
        overflow: 'truncate',
        color: colours.ink,
      },
      axisTick: { show: false },
      axisLine: { show: false },
      splitLine: { show: false },
    },
    dataZoom: [
      { type: 'inside', ...zoom, zoomOnMouseWheel: 'ctrl', moveOnMouseWheel: false },
      {
        type: 'slider',
        ...zoom,
        height: 22,
        bottom: 14,
        showDataShadow: false,
        showDetail: false,
        brushSelect: true,
        borderColor: colours.line,
        backgroundColor: colours.panel,
        fillerColor: `${colours.verified}33`,
        handleStyle: { color: colours.ground, borderColor: colours.muted },
        moveHandleStyle: { color: colours.muted },
      },
    ],
    series: [
      {
        type: 'custom',
        clip: true,
        silent: true,
        data: [[range[0], 0]],
        renderItem: (params: RenderParams, api: RenderApi) => {
          const { x, y, width } = params.coordSys;
          const [zero = 0, one = 0] = range.map((time) => api.coord([time, 0])[0]);
          const perPixel = (range[1] - range[0]) / (one - zero || 1);
          const from = range[0] + (x - zero) * perPixel;
          return drawScene(scene, { left: x, top: y, width, from, to: from + width * perPixel });
        },
      },
    ],
  };
}

/** What ECharts hands to `renderItem` of a custom series on a grid. */
interface RenderParams {
  readonly coordSys: { readonly x: number; readonly y: number; readonly width: number };
}

interface RenderApi {
  coord(point: readonly [number, number]): readonly [number, number];
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
