/** The page's code: one state (what is asked for, and the window of time), shown as timeline and table. */
import type { ReportData } from '../audit/report/report.ts';
import { escapeText } from '../base/escape.ts';
import { byId, clip, fill } from './dom.ts';
import { createFilterForm } from './filter-form.ts';
import { fitting } from './filters.ts';
import { layOut } from './lanes.ts';
import { type ReportView, viewOf } from './report-view.ts';
import { createRowsTable } from './rows-table.ts';
import { createStoryPanel } from './story-panel.ts';
import { currentColours, watchTheme } from './theme.ts';
import { createTimeline } from './timeline.ts';
import type { Window } from './timeline-option.ts';
import { showTip } from './tip.ts';

function start(): void {
  const data = byId('data');
  const view = viewOf(JSON.parse(data.textContent ?? '') as ReportData);
  data.remove(); // tens of megabytes of text that nobody needs again
  byId('app').hidden = false;
  run(view);
}

function run(view: ReportView): void {
  const chart = byId('chart');
  const lanesBy = byId<HTMLSelectElement>('lanes');
  let window: Window = view.range;
  let fits: Uint8Array = new Uint8Array(view.facts.length).fill(1);
  /** What the table shows, in its order. */
  let rows: readonly number[] = [];

  const story = createStoryPanel(view);
  const open = (lease: number) => story.open(lease, rows);
  const table = createRowsTable(view, { sorted: () => showRows(), opened: open });
  const timeline = createTimeline(chart, {
    moved: (moved) => {
      window = moved;
      form.showWindow(window);
      later(showRows);
    },
    over: (found, x, y) => {
      const { left, top } = chart.getBoundingClientRect();
      showTip(view, found, left + x, top + y);
    },
    picked: open,
  });
  const form = createFilterForm(view, {
    changed: () => later(showAll),
    windowed: (asked) => moveTo(asked),
    reset: () => {
      moveTo(view.range);
      showAll();
    },
  });

  const showAll = () => {
    fits = fitting(view.searchable, form.wanted());
    showTimeline();
    showRows();
  };
  const showTimeline = () => {
    const column = view.column(lanesBy.value);
    const layout = layOut(
      view.spans.filter(({ lease }) => fits[lease] === 1),
      (lease) => column.values[column.at[lease] ?? -1] || 'not told',
    );
    timeline.show({ layout, facts: view.facts, colours: currentColours(), read: view.read }, view.range);
    const notes = [
      layout.covered > 0
        ? `${layout.covered} bars stand over others, since too many overlap: filter, or choose other lanes.`
        : '',
      view.spans.length < view.facts.length
        ? `${view.facts.length - view.spans.length} rows have no time that can be read: they are in the table only.`
        : '',
    ];
    fill(byId('chart-note'), notes.filter(Boolean).join(' '));
    const names = layout.groups.map(({ name }) => clip(name, 64)).join(', ');
    chart.setAttribute('aria-label', escapeText(`Timeline of ${names || 'nothing'}`));
  };
  const showRows = () => {
    const inWindow = view.facts.flatMap((_, lease) =>
      fits[lease] === 1 && reaches(view, lease, window) ? [lease] : [],
    );
    rows = table.sorted(inWindow);
    table.show(rows);
    fill(byId('matching'), `${rows.length} of ${view.facts.length} leases and denials`);
  };
  const moveTo = (asked: Window) => {
    window = within(asked, view.range);
    timeline.move(window);
    form.showWindow(window);
    later(showRows);
  };

  lanesBy.addEventListener('change', showTimeline);
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-zoom]')) {
    button.addEventListener('click', () => moveTo(zoomed(window, view.range, button.dataset['zoom'] ?? '')));
  }
  addEventListener('resize', () => later(() => timeline.resize()));
  watchTheme(showTimeline);
  timeline.move(window);
  showAll();
}

function zoomed([from, to]: Window, range: Window, how: string): Window {
  const step = (to - from) / 4;
  switch (how) {
    case 'in':
      return [from + step, to - step];
    case 'out':
      return [from - 2 * step, to + 2 * step];
    case 'left':
      return from - step < range[0] ? [range[0], range[0] + to - from] : [from - step, to - step];
    case 'right':
      return to + step > range[1] ? [range[1] - (to - from), range[1]] : [from + step, to + step];
    default:
      return range;
  }
}

/** At least a second of the report's time. */
function within([from, to]: Window, [first, last]: Window): Window {
  const start = Math.min(Math.max(from, first), last - 1000);
  return [start, Math.max(Math.min(to, last), start + 1000)];
}

/** As its bar does. A lease without a time is in every window: nobody knows that it isn't. */
function reaches({ spanOf }: ReportView, lease: number, [from, to]: Window): boolean {
  const span = spanOf(lease);
  return span === null || (span.start <= to && span.until >= from);
}

const waiting = new Set<() => void>();

/** Once before the next picture, however often it is asked for until then. */
function later(action: () => void): void {
  if (waiting.has(action)) return;
  waiting.add(action);
  requestAnimationFrame(() => {
    waiting.delete(action);
    action();
  });
}

try {
  start();
} catch (error) {
  const failed = byId('failed');
  failed.hidden = false;
  failed.textContent =
    'This page could not show its leases. What is above still holds; for the rest: capwrap audit list.';
  throw error;
}
