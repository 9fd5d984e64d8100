/**
 * A request as the person who answers it sees it. Everything that the caller chose is escaped; long text is folded, and
 * what had to be left out of it is said; what is wider than the last time is marked.
 */

import { formatDuration } from '../base/duration.ts';
import { escapeText } from '../base/escape.ts';
import { demandWords } from '../policy/demand-text.ts';
import { type Binding, differences, WORDS } from './binding.ts';
import type { ApprovalRequest } from './request.ts';

/** The last request for the same capability that a run was begun with. */
export interface Previous {
  readonly request: ApprovalRequest;
  /** RFC 3339, UTC. */
  readonly usedAt: string;
}

/** Lines without line ends, safe for a terminal. */
export function showRequest(request: ApprovalRequest, previous: Previous | null): string[] {
  return [
    `capwrap asks for approval ${request.id}`,
    ...rows(request).flatMap(([label, text]) => laidOut(label, text, label !== 'command')),
    '',
    ...changes(request, previous),
  ];
}

const LABEL = 14;
/** With the label within 80 columns: what a terminal wraps by itself begins where labels do, and could pass for one. */
const WIDTH = 62;
const MOST_LINES = 18;
const TAIL_LINES = 3;

/** `short`: of very long text only the beginning and the end. The command is what is approved: it is shown whole. */
function laidOut(label: string, text: string, short = true): string[] {
  const [first = '', ...rest] = short ? fold(escapeText(text)) : pieces(escapeText(text));
  return [`  ${label.padEnd(LABEL)}${first}`, ...rest.map((line) => `  ${' '.repeat(LABEL)}${line}`)];
}

/** Pieces of a line; of very long text the beginning and the end, with what is left out between them. */
export function fold(text: string): string[] {
  const lines = pieces(text);
  if (lines.length <= MOST_LINES) return lines;
  const head = lines.slice(0, MOST_LINES - TAIL_LINES - 2);
  const tail = lines.slice(-TAIL_LINES);
  const count = (part: readonly string[]) => [...part.join('')].length;
  return [
    ...head,
    `[... ${count(lines) - count(head) - count(tail)} of ${count(lines)} characters are left out;`,
    '"capwrap approvals --json" shows all ...]',
    ...tail,
  ];
}

function pieces(text: string): string[] {
  const lines = [''];
  let room = WIDTH;
  for (const char of text) {
    const columns = /[ -~]/.test(char) ? 1 : 2; // nothing takes more
    if (columns > room) {
      lines.push('');
      room = WIDTH;
    }
    lines[lines.length - 1] += char;
    room -= columns;
  }
  return lines;
}

function rows({ binding, demand, host, created_at, answer_by }: ApprovalRequest): [string, string][] {
  const known = (name: keyof Binding & string) => {
    const value = binding[name];
    return value === null ? 'unknown' : `${value} (${binding.sources[name]})`;
  };
  const state = { true: 'clean', false: 'with uncommitted changes' }[String(binding.commit_clean)];
  return [
    ['capability', binding.capability],
    ['command', commandText(binding.command)],
    ['directory', binding.cwd],
    ...binding.files.map((file): [string, string] => ['file', fileText(file)]),
    ...binding.folders.map((folder): [string, string] => [
      'folder',
      `${folder} (what is in it is not bound)`,
    ]),
    ['standard input', inputText(binding.stdin)],
    ...Object.entries(binding.env).map(([name, value]): [string, string] => ['variable', `${name}=${value}`]),
    ['repo', known('repo')],
    ['branch', known('branch')],
    ['commit', `${known('commit')}, ${state ?? 'not known whether clean'}`],
    ['environment', known('environment')],
    ['actor', known('actor')],
    ['asked by', `${binding.user} on ${host} at ${created_at}`],
    ['task', binding.task_id],
    ['justification', binding.justification ?? 'none given'],
    ['credential', `${binding.provider} ${binding.target}`],
    ...binding.scope.map((entry): [string, string] => ['scope', entry]),
    ['ttl', formatDuration(binding.ttl_seconds)],
    ['rule', binding.rule],
    ['map', binding.map_path],
    ['map sha256', binding.map_sha256],
    ['needs', demandWords(demand).join(' ')],
    ['answer by', answer_by],
  ];
}

function commandText(words: readonly string[]): string {
  return words.map((word) => JSON.stringify(word)).join(' ');
}

function inputText(stdin: string): string {
  return stdin.startsWith('file') || stdin === 'closed' || stdin === 'device'
    ? stdin
    : `${stdin} (what comes from it is not bound)`;
}

function fileText({ path, sha256, bytes, modified }: Binding['files'][number]): string {
  return sha256 === null ? `${path} ${bytes} bytes of ${modified}, not hashed` : `${path} sha256 ${sha256}`;
}

function changes({ binding }: ApprovalRequest, previous: Previous | null): string[] {
  if (previous === null) return ['No run of this capability was approved here before.'];
  const before = previous.request.binding;
  const since = `the run that was approved as ${previous.request.id} (${previous.usedAt})`;
  const names = differences(before, binding);
  if (names.length === 0) return [`The same as ${since}.`];
  return [
    `Different from ${since}:`,
    ...names.flatMap((name) => [
      ...laidOut(WORDS[name] ?? name, `was ${valueText(only(before[name], binding[name]))}`),
      ...laidOut(
        widens(name, before, binding) ? 'WIDER' : '',
        `is  ${valueText(only(binding[name], before[name]))}`,
      ),
    ]),
  ];
}

/** True for what certainly gives more than before; the rest is for the reader to judge. */
function widens(name: keyof Binding, before: Binding, after: Binding): boolean {
  switch (name) {
    case 'ttl_seconds':
      return after.ttl_seconds > before.ttl_seconds;
    case 'scope':
      return after.scope.some((entry) => !before.scope.includes(entry));
    case 'target':
    case 'provider':
    case 'environment':
      return true;
    default:
      return false;
  }
}

type Value = Binding[keyof Binding];

/** Of files and variables, those that are not the same in the other. */
function only(value: Value, other: Value): Value {
  if (isFiles(value) && isFiles(other)) {
    const known = new Set(other.map((file) => JSON.stringify(file)));
    return value.filter((file) => !known.has(JSON.stringify(file)));
  }
  if (isRecord(value) && isRecord(other)) {
    return Object.fromEntries(Object.entries(value).filter(([name, text]) => other[name] !== text));
  }
  return value;
}

function isFiles(value: Value): value is Binding['files'] {
  return Array.isArray(value) && value.every((each) => typeof each === 'object');
}

function isRecord(value: Value): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueText(value: Binding[keyof Binding]): string {
  if (value === null) return 'unknown';
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  if (isRecord(value))
    return (
      Object.entries(value)
        .map(([name, text]) => `${name}=${text}`)
        .join(' ') || 'none'
    );
  if (isFiles(value)) return value.map(fileText).join('; ') || 'none';
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
    ? commandText(value)
    : JSON.stringify(value);
}
