/** Issues of the schema as faults: what was meant, and the line to write instead. */
import type * as v from 'valibot';
import type { Report } from './fault.ts';
import { type Place, subjectOf } from './map-place.ts';
import { PATTERN_SHAPE } from './pattern.ts';
import { providerNamed } from './providers/index.ts';
import { OTHER_PROVIDERS, OTHER_SOURCES } from './schema.ts';
import { UNKNOWN_KEY } from './schema-fields.ts';
import { nearest } from './suggest.ts';

type Issue = v.BaseIssue<unknown>;

/** Lines to copy, by key; those of a provider's own keys are in its descriptor. */
const EXAMPLES: Readonly<Record<string, string>> = {
  version: 'version: 1',
  capabilities: 'capabilities:',
  provider: 'provider: aws-sts',
  type: 'type: profile',
  profile: 'profile: agent-base',
  audience: 'audience: artifacts.example.com',
  rules: "rules: [{allow: {repo: acme/web-app, branch: 'feat/*'}}]",
  ttl: 'ttl: 15m',
  max_ttl: 'max_ttl: 30m',
  kill_after: 'kill_after: 10s',
  sha256: 'sha256: DIGEST", with that of "sha256sum FILE',
  allow: 'allow: {repo: acme/web-app}',
  deny: 'deny: {branch: main}',
  given: 'given: {repo: acme/web-app, branch: feat/x}',
  expect: 'expect: allow',
};

export function reportIssues(issues: readonly Issue[], report: Report): void {
  for (const issue of issues.flatMap(innermost)) reportIssue(issue, report);
}

/** Of a union's alternatives, the one that got furthest into the value is the one that was meant. */
function innermost(issue: Issue): readonly Issue[] {
  const inner = (issue.issues ?? []).flatMap((sub) => innermost(sub));
  const deepest = Math.max(0, ...inner.map((sub) => sub.path?.length ?? 0));
  if (deepest === 0) return [issue];
  const above = issue.path ?? [];
  return inner
    .filter((sub) => (sub.path?.length ?? 0) > 0)
    .map((sub) => ({ ...sub, path: [...above, ...(sub.path ?? [])] }) as Issue);
}

function reportIssue(issue: Issue, report: Report): void {
  const place: Place = (issue.path ?? []).map((item) => item.key as string | number);
  const last = issue.path?.at(-1);
  const key = String(last?.key ?? '');
  const subject = `"${subjectOf(place)}"`;
  const line = exampleOf(key, issue.path ?? []);
  const example = line === null ? null : `write "${line}"`;

  if (issue.message === UNKNOWN_KEY) {
    const known = (issue.expected ?? '').split(' ');
    const fix = meant(key, known) ?? `known here: ${known.join(', ')}`;
    report(place, 'unknown_key', `${subject} ${UNKNOWN_KEY}`, fix, 'key');
  } else if (issue.input === undefined) {
    const above = place.slice(0, -1);
    const message = `${subject} is missing${above.length > 0 ? ` in "${subjectOf(above)}"` : ''}`;
    report(above, 'missing_key', message, example?.replace('write', 'add'), 'key');
  } else if (issue.type === 'variant') {
    reportVariant(issue, place, report);
  } else if (last?.type === 'object' && last.origin === 'key') {
    report(place, 'wrong_value', `${subject} ${issue.message}`, null, 'key');
  } else if (issue.input === null) {
    report(place, 'wrong_type', `${subject} has no value`, example, 'key');
  } else if (issue.type === 'picklist' || issue.type === 'literal') {
    const fix = meant(wordOf(issue.input), choices(issue));
    report(place, 'wrong_value', `${subject} ${issue.message}`, fix ?? example);
  } else if (issue.kind === 'schema') {
    const quotable = ['number', 'boolean'].includes(typeof issue.input) && issue.message.includes('text');
    report(place, 'wrong_type', `${subject} ${issue.message}`, quotable ? 'put it in quotes' : example);
  } else {
    const code = issue.requirement === PATTERN_SHAPE ? 'pattern_syntax' : 'wrong_value';
    report(place, code, `${subject} ${issue.message}`, example);
  }
}

/** A line to copy: as the capability's provider has it, else as it is everywhere. */
function exampleOf(key: string, [, , item]: readonly { readonly input: unknown }[]): string | null {
  const owner = item?.input as { readonly provider?: unknown } | null | undefined;
  return providerNamed(owner?.provider)?.examples?.[key] ?? EXAMPLES[key] ?? null;
}

/** A provider or source that is none, or one that this version does not have. */
function reportVariant(issue: Issue, place: Place, report: Report): void {
  const input = wordOf(issue.input);
  const isProvider = place.at(-1) === 'provider';
  const supported = choices(issue);
  if ((isProvider ? OTHER_PROVIDERS : OTHER_SOURCES).includes(input)) {
    const code = isProvider ? 'provider_unsupported' : 'source_unsupported';
    const message = `"${input}" is a ${isProvider ? 'provider' : 'source'} that this version does not support`;
    report(place, code, message, `supported: ${supported.join(', ')}`);
    return;
  }
  const message = `"${subjectOf(place)}" must be one of ${supported.join(', ')}`;
  report(place, 'wrong_value', message, meant(input, supported));
}

/** The words between quotes in `("a" | "b")`. */
function choices(issue: Issue): string[] {
  return [...new Set([...(issue.expected ?? '').matchAll(/"([^"]*)"/g)].map(([, word]) => word ?? ''))];
}

/** A value as the word that it is; collections are none. */
function wordOf(input: unknown): string {
  return typeof input === 'object' ? '' : String(input);
}

function meant(word: string, known: readonly string[]): string | null {
  const found = nearest(word, known);
  return found === null ? null : `did you mean "${found}"?`;
}
