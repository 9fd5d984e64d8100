/** What of a request is not as it was the last time. */
import { type Binding, differences, WORDS } from './binding.ts';
import type { ApprovalRequest } from './request.ts';
import { commandText, fileText, laidOut } from './show-layout.ts';

/** The last request for the same capability that a run was begun with. */
export interface Previous {
  readonly request: ApprovalRequest;
  /** RFC 3339, UTC. */
  readonly usedAt: string;
}

/** Lines for each difference; what certainly gives more is marked. */
export function changes({ binding }: ApprovalRequest, previous: Previous | null): string[] {
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
