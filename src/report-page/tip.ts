/** What is under the pointer. For the eye alone: the table says the same to everybody. */
import { byId, clip, el, fill } from './dom.ts';
import type { ReportView } from './report-view.ts';
import type { Found } from './timeline.ts';
import { formatLength, formatTime } from './times.ts';

/** Shows a lease beside a place of the window; null hides it. */
export function showTip(view: ReportView, found: Found | null, x: number, y: number): void {
  const tip = byId('tip');
  tip.hidden = found === null;
  if (found === null) return;
  const { lease, others } = found;
  const { start = null, end = null, expires = null } = view.facts[lease] ?? {};
  const lines = [
    [view.text(lease, 'capability'), view.text(lease, 'lease_id')].join(' · '),
    view.ending(lease),
    [view.text(lease, 'actor'), view.text(lease, 'repo'), view.text(lease, 'branch')]
      .filter(Boolean)
      .join(' · '),
    view.text(lease, 'task_id'),
    `${formatTime(start)} UTC${start !== null && end !== null ? `, ran ${formatLength(end - start)}` : ''}`,
    expires === null ? '' : `credential expires ${formatTime(expires)} UTC`,
    others > 0 ? `and ${others} more here: zoom in` : '',
  ];
  fill(tip, ...lines.filter(Boolean).map((line, at) => el(at === 0 ? 'strong' : 'div', {}, clip(line, 200))));
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 8))}px`;
  tip.style.top = `${y + 18 + height > innerHeight ? y - height - 10 : y + 18}px`;
}
