/** The part of the page that needs no code: what was checked, what is in it, and how much of what. */
import { plural } from '../../base/plural.ts';
import { shellQuote } from '../../base/shell-quote.ts';
import { CHAIN_LIMIT } from '../log/verify.ts';
import { placeOfBad, type Verification } from '../log/verify-book.ts';
import {
  archivesWords,
  CURRENT_MISSING,
  resumedWords,
  retiredWords,
  tornWords,
  wholeWords,
} from '../log/verify-words.ts';
import { VERDICTS } from '../record/reconciled-record.ts';
import { escapeHtml } from './html.ts';
import { COUNTED, type Counted, countsAs, type LeaseFacts } from './lease-facts.ts';
import type { ReportSummary } from './report.ts';
import { textOf } from './table.ts';
import { COUNT_WORDS, GRADE_WORDS, STATE_WORDS, VERDICT_WORDS } from './words.ts';

export function titleHtml({ made, host, version }: ReportSummary): string {
  return `<h1>capwrap audit report</h1>
<p>${escapeHtml(host)}, ${timeHtml(made)}, capwrap ${escapeHtml(version)}</p>`;
}

export function summaryHtml(summary: ReportSummary): string {
  return `${chainHtml(summary)}\n${scopeHtml(summary)}\n${countsHtml(summary.facts)}`;
}

function chainHtml({ verification, path, made, unreadable, unread }: ReportSummary): string {
  const { state, headline, details } = sayVerification(path, verification);
  const notes = [
    ...details,
    ...(unreadable > 0 ? [`lines that are no record, and are not shown below: ${unreadable}`] : []),
    ...(unread === null ? [] : [`what is older is not shown below, since ${unread}`]),
  ];
  const { seq, hash } = verification.head;
  return `<section class="chain ${state}" aria-labelledby="chain">
<h2 id="chain">The log</h2>
<p class="verdict"><span aria-hidden="true">${SIGNS[state]}</span> ${escapeHtml(headline)}</p>
${notes.map((note) => `<p>${escapeHtml(note)}</p>`).join('\n')}
<dl>
<div><dt>file</dt><dd><code>${escapeHtml(path)}</code></dd></div>
<div><dt>checked</dt><dd>${timeHtml(made)}</dd></div>
<div><dt>head</dt><dd><code>seq=${seq} hash=${escapeHtml(hash)}</code></dd></div>
</dl>
<p class="limit">${escapeHtml(CHAIN_LIMIT)}</p>
</section>`;
}

const SIGNS = { whole: '✓', torn: '◐', bad: '✕' } as const;

interface SaidVerification {
  readonly state: keyof typeof SIGNS;
  readonly headline: string;
  readonly details: readonly string[];
}

function sayVerification(path: string, found: Verification): SaidVerification {
  const { currentMissing, records, recovered, resumed, retired, firstBad, torn } = found;
  const before =
    records === 0 ? 'it is the first' : `the ${plural(records, 'record')} before it follow one another`;
  const repairs = [
    ...(recovered > 0 ? [`torn lines that were set aside earlier, each with a record: ${recovered}`] : []),
    ...(resumed > 0 ? [resumedWords(resumed)] : []),
    ...(retired > 0 ? [retiredWords(retired)] : []),
  ];
  if (firstBad) {
    const shown = 'nothing behind it was judged, and is shown below as it stands there';
    return {
      state: 'bad',
      headline: `${placeOfBad(path, firstBad)} is bad: ${firstBad.why}`,
      details: [`${before}; ${shown}`, ...repairs],
    };
  }
  if (torn) {
    return {
      state: 'torn',
      headline: tornWords(torn),
      details: [before, ...repairs],
    };
  }
  if (currentMissing) {
    return {
      state: 'bad',
      headline: CURRENT_MISSING,
      details: [archivesWords(records), ...repairs],
    };
  }
  return { state: 'whole', headline: wholeWords(records), details: repairs };
}

function scopeHtml({ filter, filtered, tooMany, unread, facts }: ReportSummary): string {
  const given = filter.map(([option, value]) => `${option} ${shellQuote(value)}`).join(' ');
  const sentences = [
    given === ''
      ? `${tooMany > 0 ? 'the newest' : 'all'} leases and denials of the log${unread === null ? '' : ' that could be read'} are in this page: ${facts.length}`
      : `only what fits ${given} is in this page: ${facts.length}; left out: ${filtered}`,
    ...(tooMany > 0
      ? [`the oldest were too many for a page and are left out: ${tooMany}; to see them: --since and --until`]
      : []),
  ];
  const partial = given !== '' || tooMany > 0 || unread !== null;
  return `<p class="scope${partial ? ' partial' : ''}">${sentences.map(escapeHtml).join('.<br>')}.</p>`;
}

function countsHtml(facts: readonly LeaseFacts[]): string {
  const item = (name: Counted) => {
    const number = facts.filter((each) => countsAs(each, name)).length;
    return `<li><button type="button" disabled data-count="${name}" class="${number > 0 ? name : 'none'}"><b>${number}</b> ${COUNT_WORDS[name]}</button></li>`;
  };
  return `<section aria-labelledby="counts">
<h2 id="counts">At a glance</h2>
<ul class="counts">
${COUNTED.map(item).join('\n')}
</ul>
<dl class="tallies">
<dt>approvals</dt><dd>${tally(
    facts.map(({ grade }) => grade),
    Object.keys(GRADE_WORDS),
    GRADE_WORDS,
  )}</dd>
<dt>later looks at the issuer's records</dt><dd>${tally(
    facts.map(({ verdict }) => verdict),
    VERDICTS,
    VERDICT_WORDS,
  )}</dd>
</dl>
</section>`;
}

function tally<Name extends string>(
  found: readonly (string | null)[],
  names: readonly Name[] | readonly string[],
  words: Readonly<Record<string, string>>,
): string {
  const said = names.flatMap((name) => {
    const number = found.filter((each) => each === name).length;
    return number > 0 ? [`${number} ${escapeHtml(words[name] ?? name)}`] : [];
  });
  return said.length > 0 ? said.join(', ') : 'none';
}

/** For a browser without JavaScript: what to look at first. */
export function noscriptHtml({ table, facts }: ReportSummary): string {
  const alarming = facts.flatMap((each, lease) =>
    COUNTED.some((name) => name !== 'leases' && countsAs(each, name)) ? [lease] : [],
  );
  const rows = alarming
    .slice(-LISTED)
    .reverse()
    .map((lease) => {
      const each = facts[lease];
      const cells = [
        each?.start == null ? '-' : new Date(each.start).toISOString(),
        ...['lease_id', 'capability', 'repo', 'task_id', 'actor'].map(
          (name) => textOf(table, lease, name) ?? '-',
        ),
        each
          ? STATE_WORDS[each.state] +
            (each.leaked ? ', leak' : '') +
            (each.verdict ? `, ${VERDICT_WORDS[each.verdict]}` : '')
          : '-',
      ];
      return `<tr>${cells.map((cell) => `<td class="long">${escapeHtml(cell)}</td>`).join('')}</tr>`;
    });
  return `<noscript>
<p>Without JavaScript this page shows no timeline and no filters. What is below, and all else, on a terminal: <code>capwrap audit list</code>, <code>capwrap audit show LEASE</code>.</p>
<h2>To look at first: ${alarming.length}${alarming.length > LISTED ? `, the newest ${LISTED} of them` : ''}</h2>
<table>
<thead><tr>${['Started (UTC)', 'Lease', 'Capability', 'Repo', 'Task', 'Actor', 'End'].map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</noscript>`;
}

const LISTED = 200;

function timeHtml(time: string): string {
  return `<time datetime="${escapeHtml(time)}">${escapeHtml(time.replace('T', ' ').replace(/\.\d+Z$/, ' UTC'))}</time>`;
}
