/** A map, or what changed in it, for the person who is asked to trust it. */
import { escapeText, escapeValue } from '../base/escape.ts';
import type { ChangeKind, MapChange } from '../policy/diff/change.ts';
import { countChanges } from '../policy/diff/describe-changes.ts';
import { summariseMap } from '../policy/map-summary.ts';
import type { Predecessor } from '../trust/predecessor.ts';
import type { TrustCase } from './trust-case.ts';
import { scriptLines } from './trust-scripts.ts';

/** Columns of a line; a longer one goes on below. A terminal of 80 breaks none at a place that a value chose. */
const WIDTH = 79;
const CONTINUED = '    ... ';

/** What widens comes last, next to the question: of a long text that is what stays in sight. */
const GROUPS: readonly (readonly [ChangeKind, string])[] = [
  ['neutral', 'other changes'],
  ['narrowing', 'narrowing: what was allowed and is no more'],
  ['widening', 'WIDENING: what was not allowed before'],
];

/** Ready for a terminal, with a line end: every value is escaped, and none that steers a grant is left out or cut. */
export function caseText(found: TrustCase): string {
  const scripts = scriptLines(found.map);
  const lines = [
    ...head(found),
    ...(scripts.length === 0 ? [] : ['', 'scripts', ...scripts]),
    '',
    ...body(found),
  ];
  return `${lines.flatMap(fold).join('\n')}\n`;
}

function head({ file, subject, predecessor }: TrustCase): string[] {
  const { name, from } = subject.repo;
  const rows: [string, string | null][] = [
    ['map', escapeText(file.path)],
    ['repository', `${repoName(name)} (${escapeText(from)})`],
    ['sha256', file.sha256],
    ['replaces', predecessor?.sha256 ?? 'nothing: no version was trusted here before'],
    ['', predecessor && predecessor.repo !== name ? `of the repository ${repoName(predecessor.repo)}` : null],
    ['compared with', predecessor?.basis?.sha256 ?? null],
  ];
  return rows.filter(([, text]) => text !== null).map(([label, text]) => `${label.padEnd(13)}  ${text}`);
}

function repoName(name: string | null): string {
  return name === null ? 'without a name' : escapeText(name);
}

/** Why a map that is not the first is shown as a whole. */
function whole({ basis }: Predecessor): string {
  return basis === null
    ? 'No other version was confirmed by a person, so this is the map as a whole:'
    : `The version to compare with ${escapeText(basis.version.fault ?? '')}, so this is the map as a whole:`;
}

function body({ map, predecessor, changes }: TrustCase): string[] {
  if (changes === null) {
    return [...(predecessor === null ? [] : [whole(predecessor), '']), ...summariseMap(map)];
  }
  if (changes.length === 0) return ['Nothing but comments and layout changed.'];
  const touched = new Set(changes.map(({ at }) => nameIn(at)));
  const same = [...map.capabilities.keys()].filter((name) => !touched.has(name));
  return [
    ...(same.length === 0 ? [] : [`unchanged: ${same.join(', ')}`, '']),
    ...GROUPS.flatMap(([kind, title]) => {
      const lines = changes
        .filter((change) => change.kind === kind)
        .flatMap((change) => changeLines(change, map));
      return lines.length === 0 ? [] : [title, ...lines, ''];
    }),
    countChanges(changes),
  ];
}

/** A capability that is new, or gets its credential from elsewhere, is shown as a whole. */
function changeLines({ at, code, message, before, after }: MapChange, map: TrustCase['map']): string[] {
  const place = message.includes(at) ? '' : `  (${escapeText(at)})`;
  const lines = [`  ${escapeText(message)}${place}`];
  const all =
    code === 'capability_added' || code === 'provider' ? map.capabilities.get(nameIn(at)) : undefined;
  if (all !== undefined) {
    const alone = { ...map, approvers: new Map(), capabilities: new Map([[all.name, all]]) };
    return [...lines, ...summariseMap(alone).map((line) => `    ${line}`)];
  }
  if (before === null && after === null) return lines;
  return [...lines, `      was ${shown(before)}`, `      is  ${shown(after)}`];
}

/** The capability that a place is in; empty for any other place. */
function nameIn(at: string): string {
  return /^capabilities\.([a-z0-9-]+)/.exec(at)?.[1] ?? '';
}

function shown(value: string | null): string {
  return value === null ? '(none)' : escapeValue(value);
}

/** Breaks at a blank where there is one; what goes on below is marked, so that no value can pass for a row. */
function fold(line: string): string[] {
  const lines: string[] = [];
  for (let rest = line; ; ) {
    const end = endWithin(rest);
    if (end === rest.length) return [...lines, rest];
    const blank = rest.lastIndexOf(' ', end);
    const cut = blank > CONTINUED.length + 1 ? blank : end;
    lines.push(rest.slice(0, cut));
    rest = `${CONTINUED}${rest.slice(cut).trimStart()}`;
  }
}

/** How much of a text fits in a line. From U+1100 on a character may take two columns. */
function endWithin(text: string): number {
  let [end, columns] = [0, 0];
  for (const char of text) {
    columns += (char.codePointAt(0) ?? 0) < 0x1100 ? 1 : 2;
    if (columns > WIDTH) break;
    end += char.length;
  }
  return end;
}
