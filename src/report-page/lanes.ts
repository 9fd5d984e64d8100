/** Where each lease is drawn: lanes in groups, so that leases at the same time stand under one another. */

export interface Bar {
  readonly lease: number;
  /** Milliseconds. */
  readonly start: number;
  /** Until when it takes its lane: the end of its run, or of its credential. */
  readonly until: number;
  /** A denial has no length: it stands in a lane of its own. */
  readonly point: boolean;
}

export interface Lane {
  /** Pixels from the top. */
  readonly top: number;
  readonly height: number;
  /** By start. */
  readonly bars: readonly Bar[];
}

export interface Group {
  readonly name: string;
  readonly top: number;
  readonly height: number;
  readonly lanes: readonly Lane[];
}

export interface Layout {
  readonly groups: readonly Group[];
  /** Pixels. */
  readonly height: number;
  /** Bars that had to be put over others, since there are no more lanes. */
  readonly covered: number;
}

const MOST_GROUPS = 24;
const MOST_LANES = 240;
const LANE = { least: 2, most: 14 };
const GROUP = { least: 18, gap: 6 };
const WANTED_HEIGHT = 380;

/** `bars` by start; `nameOf` names the group of a lease. Groups by name; of too many, the smallest are one. */
export function layOut(bars: readonly Bar[], nameOf: (lease: number) => string): Layout {
  const byName = new Map<string, Bar[]>();
  for (const bar of bars) {
    const name = nameOf(bar.lease);
    const group = byName.get(name);
    if (group) group.push(bar);
    else byName.set(name, [bar]);
  }
  const named = fewer(byName);
  const mostLanes = Math.max(3, Math.floor(MOST_LANES / Math.max(1, named.length)));
  const filled = named.map(([name, group]) => ({ name, ...fillLanes(group, mostLanes) }));
  const lanes = filled.reduce((sum, group) => sum + group.lanes.length, 0);
  const height = Math.min(LANE.most, Math.max(LANE.least, Math.floor(WANTED_HEIGHT / Math.max(1, lanes))));
  let top = GROUP.gap / 2;
  const groups = filled.map(({ name, lanes }) => {
    const group = {
      name,
      top,
      height: Math.max(GROUP.least, lanes.length * height),
      lanes: lanes.map((bars, at) => ({ top: top + at * height, height, bars })),
    };
    top += group.height + GROUP.gap;
    return group;
  });
  return { groups, height: top, covered: filled.reduce((sum, group) => sum + group.covered, 0) };
}

function fewer(byName: ReadonlyMap<string, readonly Bar[]>): readonly (readonly [string, readonly Bar[]])[] {
  const bySize = [...byName].sort(([, a], [, b]) => b.length - a.length);
  const shown = bySize
    .slice(0, bySize.length > MOST_GROUPS ? MOST_GROUPS - 1 : MOST_GROUPS)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const rest = bySize.slice(shown.length);
  if (rest.length === 0) return shown;
  const others = rest.flatMap(([, bars]) => bars).sort((a, b) => a.start - b.start);
  return [...shown, [`${rest.length} others`, others]];
}

/** The first lane that is free takes the bar; where none is and no more may be made, the one that is free next. */
function fillLanes(
  bars: readonly Bar[],
  most: number,
): { readonly lanes: readonly Bar[][]; readonly covered: number } {
  const points = bars.filter(({ point }) => point);
  const lanes: Bar[][] = [];
  const free: number[] = [];
  let covered = 0;
  for (const bar of bars) {
    if (bar.point) continue;
    let lane = free.findIndex((from) => from <= bar.start);
    if (lane < 0 && free.length < most) {
      lane = lanes.push([]) - 1;
      free.push(0);
    } else if (lane < 0) {
      lane = free.indexOf(Math.min(...free));
      covered++;
    }
    lanes[lane]?.push(bar);
    free[lane] = bar.until;
  }
  return { lanes: points.length > 0 ? [points, ...lanes] : lanes, covered };
}
