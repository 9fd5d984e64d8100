/** One lease's story, in a panel beside the page: what `capwrap audit show` tells. */
import { shellQuote } from '../base/shell-quote.ts';
import { byId, el, fill } from './dom.ts';
import type { ReportView } from './report-view.ts';
import { endingOf } from './table-columns.ts';
import { formatLength } from './times.ts';

export interface StoryPanel {
  /** Opens a lease's story; `among` is where its neighbours are. */
  open(lease: number, among: readonly number[]): void;
}

export function createStoryPanel(view: ReportView): StoryPanel {
  const dialog = byId<HTMLDialogElement>('story');
  const body = byId('story-body');
  const [previous, next] = ['previous', 'next'].map((name) =>
    dialog.querySelector<HTMLButtonElement>(`[data-story=${name}]`),
  );
  let [at, leases]: [number, readonly number[]] = [0, []];
  const show = () => {
    const lease = leases[at];
    if (lease === undefined) return;
    if (previous) previous.disabled = at === 0;
    if (next) next.disabled = at === leases.length - 1;
    fill(body, ...storyOf(view, lease));
    dialog.scrollTop = 0;
  };
  const step = (by: number) => {
    at = Math.min(Math.max(at + by, 0), leases.length - 1);
    show();
  };
  previous?.addEventListener('click', () => step(-1));
  next?.addEventListener('click', () => step(1));
  // A click on what is beside the panel closes it.
  dialog.addEventListener('click', ({ target }) => {
    if (target === dialog) dialog.close();
  });
  return {
    open(lease, among) {
      [at, leases] = [among.indexOf(lease), among];
      if (at < 0) [at, leases] = [0, [lease]];
      show();
      if (!dialog.open) dialog.showModal();
    },
  };
}

function storyOf(view: ReportView, lease: number): HTMLElement[] {
  const id = view.text(lease, 'lease_id');
  const { subject, steps } = view.story(lease);
  const start = Date.parse(steps[0]?.timestamp ?? '');
  const process = view.process(lease);
  return [
    el('h2', { id: 'story-title' }, `Lease ${id}`),
    el('p', {}, endingOf(view, lease)),
    ...(process === '' ? [] : [el('p', {}, process)]),
    el('dl', {}, ...subject.flatMap(([label, text]) => [el('dt', {}, label), el('dd', {}, text)])),
    ...steps.flatMap(({ timestamp, event, said }) => [
      el(
        'h3',
        {},
        `${event} `,
        timestamp === '' ? null : el('time', {}, `${timestamp}${after(timestamp, start)}`),
      ),
      el('ul', {}, ...said.map((sentence) => el('li', {}, sentence))),
    ]),
    el('h3', {}, 'On the machine with the log'),
    el('p', {}, el('code', {}, `capwrap audit show ${shellQuote(id)}`)),
    ...(view.facts[lease]?.state === 'unfinished' || view.facts[lease]?.state === 'revoke_failed'
      ? [el('p', {}, el('code', {}, `capwrap leases end ${shellQuote(id)}`))]
      : []),
  ];
}

function after(timestamp: string, start: number): string {
  const length = Date.parse(timestamp) - start;
  return length > 0 ? `, ${formatLength(length)} after the first` : '';
}
