/** What a map allows, in lines for the person who is asked to trust it. Nothing that steers a grant is left out. */
import { formatDuration } from '../base/duration.ts';
import { escapeText, escapeValue } from '../base/escape.ts';
import type {
  Approver,
  AwsScopeEntry,
  Capability,
  CapabilityMap,
  CommandPattern,
  ProviderConfig,
  Rule,
  Source,
} from './capability.ts';
import { demandWords, limitWords } from './demand-text.ts';

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

/** A row without a text is left out. */
type Row = readonly [label: string, text: string | null];

function rows(capability: Capability): Row[] {
  const { env } = capability;
  const ttl = `${formatDuration(capability.ttl)}, at most ${formatDuration(capability.maxTtl)}`;
  return [
    ['description', capability.description && escapeText(capability.description)],
    ...providerRows(capability.config),
    ['ttl', `${ttl}; a longer one asked for: ${capability.ttlOver}`],
    ['environment', capability.environment && escapeValue(capability.environment)],
    ...capability.rules.flatMap(ruleRows),
    ['justification', capability.justification],
    ['env passed', words(env.pass)],
    ['env sensitive', words(env.passSensitive)],
    ...pairs(env.set).map((text): Row => ['env set', text]),
    ...pairs(capability.inject).map((text): Row => ['env injected', text]),
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

function providerRows(config: ProviderConfig): Row[] {
  switch (config.provider) {
    case 'aws-sts':
      return [
        ['provider', config.provider],
        ['role', escapeValue(config.roleArn)],
        ['region', escapeValue(config.region)],
        ['endpoint', config.endpoint && escapeValue(config.endpoint)],
        ['ca file', config.caFile && escapeValue(config.caFile)],
        ['source', sourceText(config.source)],
        ...config.scope.map((entry): Row => ['scope', scopeText(entry)]),
        ['external id', config.externalId && escapeValue(config.externalId)],
        ['source identity', config.sourceIdentity && escapeValue(config.sourceIdentity)],
        ...pairs(config.sessionTags).map((text): Row => ['session tag', text]),
      ];
    case 'local-issuer':
      return [
        ['provider', config.provider],
        ['audience', escapeValue(config.audience)],
        ['scope', words(config.scope)],
        ['subject', config.subject && escapeValue(config.subject)],
      ];
  }
}

/** Every field of the source, whatever its type, by the names that the map has for them. */
function sourceText({ type, ...fields }: Source): string {
  const { longLived, ...texts } = { longLived: false, ...fields };
  const named = Object.entries(texts).map(([name, value]) => [name.replace('File', '_file'), value]);
  const ends = longLived ? ['long_lived=allow (a key without an expiry)'] : [];
  return [type, ...pairs(Object.fromEntries(named)), ...ends].join(' ');
}

function scopeText(entry: AwsScopeEntry): string {
  const text = `${words(entry.actions)} on ${words(entry.resources)}`;
  return entry.broad ? `${text} broad=allow` : text;
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

function words(list: readonly string[]): string {
  return list.map(escapeValue).join(', ');
}

/** `name=value` for each entry that has a value; the alternatives of a list stand between bars. */
function pairs(record: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(record)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(
      ([name, value]) =>
        `${escapeValue(name)}=${[value]
          .flat()
          .map((each) => escapeValue(String(each)))
          .join('|')}`,
    );
}
