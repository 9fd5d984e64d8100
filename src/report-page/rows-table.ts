/** The table: the timeline's equal for a keyboard, a screen reader and a printer. One page of rows at a time. */

import { byId, el, fill } from './dom.ts';
import type { ReportView } from './report-view.ts';
import { columnsOf, type TableColumn } from './table-columns.ts';

export interface RowsTable {
  /** Shows these leases, from the first page on. */
  show(leases: readonly number[]): void;
  /** Orders leases as the table's headings ask for. */
  sorted(leases: readonly number[]): number[];
}

export function createRowsTable(
  view: ReportView,
  events: { readonly sorted: () => void; readonly opened: (lease: number) => void },
): RowsTable {
  const columns = columnsOf(view, events.opened);
  const table = byId<HTMLTableElement>('rows');
  const size = byId<HTMLSelectElement>('page-size');
  let [shown, page]: [readonly number[], number] = [[], 0];
  let [by, descending]: [TableColumn | undefined, boolean] = [columns[0], true];
  let order = orderOf(view, by, descending);

  const headings = columns.map((column) => {
    const button = el('button', { type: 'button' }, column.title);
    const heading = el('th', { scope: 'col' }, button);
    button.addEventListener('click', () => {
      descending = by === column && !descending;
      by = column;
      order = orderOf(view, by, descending);
      markSorted();
      events.sorted();
    });
    return { column, heading, button };
  });
  const markSorted = () => {
    for (const { column, heading, button } of headings) {
      const direction = column !== by ? null : descending ? 'descending' : 'ascending';
      if (direction === null) heading.removeAttribute('aria-sort');
      else heading.setAttribute('aria-sort', direction);
      fill(button, direction === null ? column.title : `${column.title} ${descending ? '↓' : '↑'}`);
    }
  };
  markSorted();
  fill(table.tHead?.rows[0] as Element, ...headings.map(({ heading }) => heading));

  const perPage = () => Number(size.value);
  const pages = () => Math.max(1, Math.ceil(shown.length / perPage()));
  const render = () => {
    page = Math.min(Math.max(page, 0), pages() - 1);
    const from = page * perPage();
    const part = shown.slice(from, from + perPage());
    fill(table.tBodies[0] as Element, ...part.map((lease) => rowOf(columns, lease, events.opened)));
    const range =
      part.length === 0 ? 'no rows' : `rows ${from + 1} to ${from + part.length} of ${shown.length}`;
    fill(byId('page'), `${range}, page ${page + 1} of ${pages()}`);
    for (const button of turns) {
      const forward = button.dataset['page'] === 'next' || button.dataset['page'] === 'last';
      button.disabled = forward ? page >= pages() - 1 : page <= 0;
    }
  };
  const turns = document.querySelectorAll<HTMLButtonElement>('[data-page]');
  const targets: Readonly<Record<string, () => number>> = {
    first: () => 0,
    previous: () => page - 1,
    next: () => page + 1,
    last: () => pages() - 1,
  };
  for (const button of turns) {
    button.addEventListener('click', () => {
      page = targets[button.dataset['page'] ?? '']?.() ?? page;
      render();
    });
  }
  size.addEventListener('change', render);
  return {
    show(leases) {
      [shown, page] = [leases, 0];
      render();
    },
    sorted(leases) {
      const wanted = new Uint8Array(view.facts.length);
      for (const lease of leases) wanted[lease] = 1;
      return order.filter((lease) => wanted[lease] === 1);
    },
  };
}

function rowOf(columns: readonly TableColumn[], lease: number, opened: (lease: number) => void): HTMLElement {
  const row = el(
    'tr',
    {},
    ...columns.map(({ cell, kind }) => el('td', kind ? { class: kind } : {}, cell(lease))),
  );
  row.addEventListener('click', () => opened(lease));
  return row;
}

function orderOf({ facts }: ReportView, column: TableColumn | undefined, descending: boolean): number[] {
  const leases = facts.map((_, lease) => lease);
  if (!column) return leases;
  const keys = leases.map(column.key);
  const direction = descending ? -1 : 1;
  return leases.sort((a, b) => {
    const [first = '', second = ''] = [keys[a], keys[b]];
    return first === second ? direction * (a - b) : first < second ? -direction : direction;
  });
}
