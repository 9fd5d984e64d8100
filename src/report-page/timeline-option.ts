/** What ECharts is told of the timeline: its axes, its zoom, and one series that draws the scene. */
import { escapeText } from '../base/escape.ts';
import { drawScene, type Scene } from './draw.ts';

/** Milliseconds. */
export type Window = readonly [from: number, to: number];

/** Pixels around the drawing. */
export const GRID = { left: 190, right: 16, top: 6, bottom: 72 };

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

/** `range` is all of the scene's time; `[startValue, endValue]` the window that is shown of it. */
export function optionOf(
  scene: Scene,
  range: Window,
  [startValue, endValue]: Window,
): Record<string, unknown> {
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
