/** What a map allows, in lines for the person who is asked to trust it. Nothing that steers a grant is left out. */
import { formatDuration } from '../base/duration.ts';
import { escapeText, escapeValue } from '../base/escape.ts';
import type { Approver, Capability, CapabilityMap, CommandPattern, Rule } from './capability.ts';
import { demandWords, limitWords } from './demand-text.ts';
import { policyOf } from './providers/index.ts';
import { pairs, type Row, words } from './summary-text.ts';

/** One block of lines for each capability, in the order of the map; every value is escaped. */
export function summariseMap(map: CapabilityMap): string[] {
  const approvers = [...map.approvers.values()];
  return [
    ...(approvers.length === 0 ? [] : ['approvers', ...laidOut(approvers.flatMap(approverRows))]),
    ...[...map.capabilities.values()].flatMap((capability) => [
      escapeText(capability.name),
      ...laidOut(rows(capability)),
    ]),
  ];
}

function laidOut(lines: readonly Row[]): string[] {
  return lines
    .filter(([, text]) => text !== null && text !== '')
    .map(([label, text]) => `  ${label.padEnd(15)} ${text}`);
}

function rows(capability: Capability): Row[] {
  const { env } = capability;
  const ttl = `${formatDuration(capability.ttl)}, at most ${formatDuration(capability.maxTtl)}`;
  return [
    ['description', capability.description && escapeText(capability.description)],
    ['provider', capability.config.provider],
    ...policyOf(capability.config).summaryRows(capability.config),
    ['ttl', `${ttl}; a longer one asked for: ${capability.ttlOver}`],
    ['environment', capability.environment && escapeValue(capability.environment)],
    ...capability.rules.flatMap(ruleRows),
    ['justification', capability.justification],
    ['env passed', words(env.pass)],
    ['env sensitive', words(env.passSensitive)],
    ...pairs(env.set).map((text): Row => ['env set', text]),
    ...pairs(capability.inject).map((text): Row => ['env injected', text]),
    ...pairs(capability.files).map((text): Row => ['env file path', text]),
    ['home', capability.home],
    ['terminal', capability.terminal],
    ['on leak', capability.onLeak],
    ['kill after', formatDuration(capability.killAfter)],
  ];
}

function approverRows({ name, keys, actors }: Approver): Row[] {
  return [
    ...keys.map((key): Row => [name, escapeText(key)]),
    ...actors.map((actor): Row => [name, `asks as ${escapeValue(actor)}`]),
  ];
}

function ruleRows(rule: Rule): Row[] {
  const { command, sources, ...when } = rule.when;
  const terms = [
    ...pairs(when),
    ...(command ? [`command=${commandText(command)}`] : []),
    ...pairs(sources ?? {}).map((text) => `source:${text}`),
  ];
  const ends = rule.effect === 'deny' ? [] : [`approval=${rule.approval}`];
  if (rule.maxTtl !== null) ends.push(`max_ttl=${formatDuration(rule.maxTtl)}`);
  const { demand, limits } = rule;
  return [
    [rule.effect, [...(terms.length === 0 ? ['always'] : terms), ...ends].join(' ')],
    ['  approval', demand && demandWords(demand).map(escapeText).join(' ')],
    ['  asked through', demand?.command ? words(demand.command) : null],
    ['  limits', limits && limitWords(limits).join(' ')],
  ];
}

function commandText(pattern: CommandPattern): string {
  switch (pattern.kind) {
    case 'program':
      return escapeValue(pattern.program);
    case 'prefix':
      return `[${words(pattern.argv)} ...]`;
    case 'pinned':
      return `${escapeValue(pattern.path)} sha256=${pattern.sha256}`;
  }
}
