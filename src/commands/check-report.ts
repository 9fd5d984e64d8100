/** The report of `capwrap check`: for people, for tools, and as annotations of GitHub Actions. */

import type { ChalkInstance } from 'chalk';
import { escapeText, toJson } from '../base/escape.ts';
import { plural } from '../base/plural.ts';
import { decisionJson } from '../policy/explain-text.ts';
import type { Fault } from '../policy/fault.ts';
import { type Finding, STILL_TO_REMOVE } from '../policy/finding.ts';
import type { TestFailure } from '../policy/inline-tests.ts';
import type { TrustJudgement } from '../trust/judge.ts';
import { annotation } from './annotation.ts';

/** A test that did not give what it expects, with its place in the file. */
export interface PlacedFailure extends TestFailure {
  readonly line: number;
  readonly column: number;
}

/** All that `check` found out about one map. */
export interface CheckReport {
  /** Relative to the working directory where the map is below it. */
  readonly file: string;
  readonly sha256: string;
  readonly trust: TrustJudgement;
  readonly faults: readonly Fault[];
  readonly failures: readonly PlacedFailure[];
  readonly findings: readonly Finding[];
  /** The day of the IAM reference that the findings go by; null where none was needed. */
  readonly iamDate: string | null;
  readonly capabilities: number;
  readonly tests: number;
}

/** One thing to say, whatever it is. */
interface Entry {
  readonly severity: 'error' | 'warning' | 'note';
  readonly title: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly why: string | null;
  readonly fix: string | null;
}

/** `file:line:column: severity: message [code]`, its reason and remedy below, and a summary. */
export function textReport(report: CheckReport, colors: ChalkInstance): string {
  const paint = { error: colors.red, warning: colors.yellow, note: colors.cyan };
  const lines = entries(report).flatMap((entry) => [
    `${escapeText(report.file)}:${entry.line}:${entry.column}: ${paint[entry.severity](entry.severity)}: ` +
      `${escapeText(entry.message)} ${colors.dim(`[${entry.title}]`)}`,
    ...(entry.why === null ? [] : [`    why: ${escapeText(entry.why)}`]),
    ...(entry.fix === null ? [] : [`    fix: ${escapeText(entry.fix)}`]),
  ]);
  return `${[...lines, ...summary(report)].map((line) => `${line}\n`).join('')}`;
}

/** One JSON object. Keys are added within a `schema_version`; one that goes or changes its meaning raises it. */
export function jsonReport(report: CheckReport): string {
  const { trust } = report;
  const value = {
    schema_version: 1,
    file: report.file,
    sha256: report.sha256,
    valid: report.faults.length === 0,
    trusted: trust.trusted,
    map_trust: trust.trusted ? trust.grade : 'untrusted',
    iam_data: report.iamDate,
    capabilities: report.capabilities,
    faults: report.faults,
    tests: {
      total: report.tests,
      failed: report.failures.map(({ decision, ...failure }) => ({
        ...failure,
        decision: decisionJson(decision),
      })),
    },
    findings: report.findings.map((finding) => ({
      ...finding,
      still_to_remove: STILL_TO_REMOVE.includes(finding.code),
    })),
  };
  return `${toJson(value, 2)}\n`;
}

/** Annotations, one per line. */
export function githubReport(report: CheckReport): string {
  const lines = entries(report).map(({ severity, title, line, column, message, why, fix }) => {
    const level = severity === 'note' ? 'notice' : severity;
    const lines = [message, why && `why: ${why}`, fix && `fix: ${fix}`].filter((it) => it !== null);
    return annotation({ level, file: report.file, line, column, title, lines });
  });
  return lines.join('');
}

function entries(report: CheckReport): Entry[] {
  return [
    ...report.faults.map(({ code, line, column, message, fix }): Entry => {
      return { severity: 'error', title: code, line, column, message, why: null, fix };
    }),
    ...report.failures.map(({ line, column, message }): Entry => {
      const fix = 'capwrap explain shows each condition; change the rules or the test';
      return { severity: 'error', title: 'test_failed', line, column, message, why: null, fix };
    }),
    ...report.findings.map(({ code, severity, line, column, message, why, fix }): Entry => {
      return { severity, title: code, line, column, message, why, fix };
    }),
  ];
}

function summary(report: CheckReport): string[] {
  const { faults, failures, findings, trust } = report;
  const file = escapeText(report.file);
  if (faults.length > 0) return [`${file}: ${plural(faults.length, 'fault')}, so nothing in it can be used`];
  const passed = report.tests - failures.length;
  const removable = STILL_TO_REMOVE.map(
    (code) => [code, findings.filter((it) => it.code === code).length] as const,
  )
    .filter(([, number]) => number > 0)
    .map(([code, number]) => `${code} ${number}`);
  return [
    `${file}: ${plural(report.capabilities, 'capability', 'capabilities')}, ${passed} of ${plural(report.tests, 'test')} passed, ` +
      `${plural(findings.filter((it) => it.severity === 'warning').length, 'warning')}, ` +
      `${plural(findings.filter((it) => it.severity === 'note').length, 'note')}`,
    ...(removable.length === 0 ? [] : [`still to be removed: ${removable.join(', ')}`]),
    ...(trust.trusted ? [] : [`not trusted: ${escapeText(trust.why)} (${escapeText(trust.hint)})`]),
  ];
}
