/** The form above the timeline, and the counts at the top, which are filters as well. */

import { COUNTED, type Counted, LEASE_STATES } from '../audit/report/lease-facts.ts';
import { GRADE_WORDS, STATE_WORDS } from '../audit/report/words.ts';
import { APPROVAL_GRADES } from '../base/approval-grade.ts';
import { byId, el, fill } from './dom.ts';
import { CHOSEN, NONE, type Wanted } from './filters.ts';
import type { LeaseColumn } from './lease-columns.ts';
import type { ReportView } from './report-view.ts';
import type { Window } from './timeline-option.ts';
import { formatTime, parseTime } from './times.ts';

export interface FilterForm {
  readonly wanted: () => Wanted;
  showWindow(window: Window): void;
}

export interface FilterEvents {
  readonly changed: () => void;
  readonly windowed: (window: Window) => void;
  readonly reset: () => void;
}

export function createFilterForm(view: ReportView, events: FilterEvents): FilterForm {
  const form = byId<HTMLFormElement>('filter');
  const field = <Type extends HTMLInputElement | HTMLSelectElement>(name: string) =>
    form.elements.namedItem(name) as Type;
  let counted: Counted | '' = '';
  for (const name of CHOSEN)
    fill(field<HTMLSelectElement>(name), ...optionsOf(view.column(name), view.facts.length));
  fill(field('state'), option('', 'any'), ...LEASE_STATES.map((state) => option(state, STATE_WORDS[state])));
  fill(field('grade'), option('', 'any'), option(NONE, 'no approval'));
  for (const grade of [...APPROVAL_GRADES, 'other'])
    field('grade').append(option(grade, GRADE_WORDS[grade] ?? grade));

  const buttons = document.querySelectorAll<HTMLButtonElement>('[data-count]');
  const press = (name: Counted | '') => {
    counted = name;
    for (const button of buttons)
      button.setAttribute('aria-pressed', String(button.dataset['count'] === name));
  };
  for (const button of buttons) {
    button.disabled = false;
    button.setAttribute('aria-pressed', 'false');
    button.addEventListener('click', () => {
      const name = COUNTED.find((each) => each === button.dataset['count']) ?? '';
      press(counted === name ? '' : name);
      events.changed();
    });
  }

  const isWindow = (name: string) => name === 'from' || name === 'to';
  /** The end of the whole time where nothing is written; null, and marked, where it can't be read. */
  const timeIn = (name: 'from' | 'to', whole: number): number | null => {
    const input = field<HTMLInputElement>(name);
    const time = input.value.trim() === '' ? whole : parseTime(input.value);
    input.setAttribute('aria-invalid', String(time === null));
    input.setCustomValidity(time === null ? 'Write a date, or a date and a time: 2026-01-31 08:30' : '');
    if (time === null) input.reportValidity();
    return time;
  };
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('input', ({ target }) => {
    const { name } = target as HTMLInputElement;
    if (!isWindow(name)) events.changed();
  });
  form.addEventListener('change', ({ target }) => {
    if (!isWindow((target as HTMLInputElement).name)) return;
    const [from, to] = [timeIn('from', view.range[0]), timeIn('to', view.range[1])];
    if (from !== null && to !== null) events.windowed([from, to]);
  });
  form.addEventListener('reset', () => {
    press('');
    // The fields have their values back once this event is through.
    setTimeout(events.reset);
  });
  return {
    wanted: () => {
      const text = (name: string) => field(name).value;
      return {
        text: text('text'),
        task: text('task').trim(),
        capability: text('capability'),
        repo: text('repo'),
        environment: text('environment'),
        actor: text('actor'),
        state: LEASE_STATES.find((state) => state === text('state')) ?? '',
        grade: text('grade'),
        counted,
      };
    },
    showWindow([from, to]) {
      const whole = from <= view.range[0] && to >= view.range[1];
      field('from').value = whole ? '' : formatTime(from);
      field('to').value = whole ? '' : formatTime(to);
    },
  };
}

/** More than these nobody looks through; the text finds the others. */
const MOST_OPTIONS = 500;

function optionsOf(column: LeaseColumn, size: number): HTMLOptionElement[] {
  const numbers = new Int32Array(column.values.length);
  let without = 0;
  for (let lease = 0; lease < size; lease++) {
    const place = column.at[lease] ?? -1;
    if (place < 0 || column.values[place] === '') without++;
    else numbers[place] = (numbers[place] ?? 0) + 1;
  }
  const named = column.values
    .map((value, place) => ({ value, number: numbers[place] ?? 0 }))
    .filter(({ value, number }) => value !== '' && number > 0)
    .sort((a, b) => b.number - a.number);
  const shown = named.slice(0, MOST_OPTIONS).sort((a, b) => (a.value < b.value ? -1 : 1));
  const more = named.length - shown.length;
  return [
    option('', 'any'),
    ...(without > 0 ? [option(NONE, `not told (${without})`)] : []),
    ...shown.map(({ value, number }) => option(value, `${value} (${number})`)),
    ...(more > 0 ? [el('option', { disabled: '' }, `${more} more: search for them by text`)] : []),
  ];
}

function option(value: string, text: string): HTMLOptionElement {
  return el('option', { value }, text);
}
