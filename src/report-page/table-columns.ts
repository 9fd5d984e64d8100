/** The columns of the table: what a cell shows, and what it is sorted by. */

import type { LeaseFacts } from '../audit/report/lease-facts.ts';
import { clip, el } from './dom.ts';
import { type Hue, hueOf, signsOf } from './marks.ts';
import type { ReportView } from './report-view.ts';
import { formatLength, formatTime } from './times.ts';

export interface TableColumn {
  readonly title: string;
  readonly cell: (lease: number) => Node | string;
  /** What it is sorted by: all numbers, or all texts. */
  readonly key: (lease: number) => number | string;
  /** Class of its cells. */
  readonly kind?: string;
}

export function columnsOf(view: ReportView, opened: (lease: number) => void): readonly TableColumn[] {
  const plain = (title: string, path: string, kind = ''): TableColumn => ({
    title,
    kind,
    cell: (lease) => clip(view.text(lease, path), 64),
    key: (lease) => view.text(lease, path),
  });
  return [
    {
      title: 'Started (UTC)',
      cell: (lease) => formatTime(view.facts[lease]?.start ?? null) || 'no time',
      key: (lease) => view.facts[lease]?.start ?? 0,
    },
    {
      title: 'Lease',
      cell: (lease) => {
        const button = el('button', { type: 'button' }, clip(view.text(lease, 'lease_id'), 64));
        button.addEventListener('click', (event) => {
          event.stopPropagation();
          opened(lease);
        });
        return button;
      },
      key: (lease) => view.text(lease, 'lease_id'),
    },
    {
      title: 'How it ended',
      cell: (lease) => endingOf(view, lease),
      key: (lease) => rankOf(view.facts[lease]) + view.ending(lease),
    },
    {
      title: 'Ran',
      cell: (lease) => {
        const length = ranOf(view, lease);
        return length === null ? '' : formatLength(length);
      },
      key: (lease) => ranOf(view, lease) ?? -1,
    },
    plain('Capability', 'capability'),
    plain('Repo', 'repo'),
    plain('Branch', 'branch', 'long'),
    plain('Environment', 'environment'),
    plain('Actor', 'actor'),
    plain('Task', 'task_id', 'long'),
    {
      title: 'Approval',
      kind: 'long',
      cell: (lease) => approvalOf(view, lease),
      key: (lease) => approvalOf(view, lease),
    },
    {
      title: 'Command',
      kind: 'long',
      cell: (lease) => childOf(view, lease),
      key: (lease) => childOf(view, lease),
    },
  ];
}

/** With its sign and colour. */
export function endingOf(view: ReportView, lease: number): HTMLElement {
  const facts = view.facts[lease];
  if (!facts) return el('span');
  return el(
    'span',
    { class: `state ${hueOf(facts)}` },
    el('i', { 'aria-hidden': 'true' }, signsOf(facts).join('') || '·'),
    clip(view.ending(lease), 120),
  );
}

/** What is to be looked at first comes first. */
function rankOf(facts: LeaseFacts | undefined): string {
  const hues: readonly Hue[] = [
    'leak',
    'failed',
    'unfinished',
    'unverified',
    'denied',
    'expiring',
    'verified',
  ];
  return String(facts ? hues.indexOf(hueOf(facts)) : hues.length);
}

function ranOf({ facts }: ReportView, lease: number): number | null {
  const { start = null, end = null } = facts[lease] ?? {};
  return start === null || end === null ? null : end - start;
}

function approvalOf(view: ReportView, lease: number): string {
  const grade = view.facts[lease]?.grade ?? null;
  const approver = view.text(lease, 'approver');
  if (grade === null) return view.text(lease, 'approval') === 'denied' ? 'refused' : '';
  return approver === '' ? grade : `${grade} by ${approver}`;
}

function childOf(view: ReportView, lease: number): string {
  const words = view.text(lease, 'command');
  const signal = view.text(lease, 'child.signal');
  const code = view.text(lease, 'child.exit_code');
  const end = signal !== '' ? `: ${signal}` : code !== '' ? `: exit ${code}` : '';
  return `${clip(words, 80)}${end}`;
}
