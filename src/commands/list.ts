/** `capwrap list`: each capability, what it allows, and whether it would be granted here and now. */
import { formatDuration } from '../base/duration.ts';
import { escapeText, toJson } from '../base/escape.ts';
import { type JudgedMap, readJudgedMap, usageOf, verifiedFacts } from '../decide.ts';
import type { ApprovalKind, Capability } from '../policy/capability.ts';
import type { Decision, LimitResult } from '../policy/decision.ts';
import { evaluate, needsCommitClean } from '../policy/evaluate.ts';
import { describeLimit, limitFault } from '../policy/limits.ts';
import { parseMap } from '../policy/parse.ts';
import { scopeWords } from '../policy/providers/index.ts';
import { gatherFacts } from '../request/gather-facts.ts';
import type { CommandContext } from '../ui/context.ts';

/** What can be said without knowing the command. */
type Availability =
  | { readonly granted: 'yes'; readonly approval: ApprovalKind }
  | { readonly granted: 'no'; readonly reason: string; readonly why: string }
  | { readonly granted: 'for_commands'; readonly commands: readonly string[] };

export async function list(context: CommandContext, options: { readonly map?: string }): Promise<number> {
  const judged = await readJudgedMap(context, options.map);
  const map = parseMap(judged.file.bytes, judged.file);
  const capabilities = [...map.capabilities.values()];
  const { facts: gathered, taskId } = await gatherFacts(context.ambient, {
    wantCommitClean: capabilities.some(needsCommitClean),
  });
  const rows: Row[] = [];
  for (const capability of capabilities) {
    // The reason is given at run time; what is asked here is whether the rest would be granted.
    const justification = capability.justification === 'required' ? 'given at run time' : null;
    const facts = await verifiedFacts(context, { ...judged, capability }, gathered);
    const request = {
      capability: capability.name,
      facts,
      command: null,
      justification,
      taskId,
      ttlRequested: null,
      usage: null,
    };
    const { usage } = (await usageOf(context, { ...judged, capability, request })) ?? { usage: null };
    const decision = evaluate(capability, { ...request, usage });
    rows.push({
      capability,
      availability: availabilityOf(capability.name, decision),
      limits: limitsOf(decision),
    });
  }
  await context.out(context.json ? asJson(judged, rows) : asText(context, judged, rows));
  return 0;
}

interface Row {
  readonly capability: Capability;
  readonly availability: Availability;
  /** Of each rule that has some. */
  readonly limits: readonly { readonly rule: string; readonly limits: readonly LimitResult[] }[];
}

function limitsOf({ rules }: Decision): Row['limits'] {
  return rules.filter(({ limits }) => limits.length > 0).map(({ at, limits }) => ({ rule: at, limits }));
}

/** A rule that lacks nothing but its command tells which commands would be granted. */
function availabilityOf(name: string, decision: Decision): Availability {
  if (decision.effect === 'allow') return { granted: 'yes', approval: decision.grant.approval };
  const denied: Availability = { granted: 'no', reason: decision.reason, why: decision.message };
  if (decision.reason !== 'no_rule_matched') return denied;
  const lacking = decision.rules
    .filter((rule) => rule.effect === 'allow')
    .map((rule) => ({ rule, failed: rule.conditions.filter((condition) => !condition.matched) }))
    .filter(({ failed }) => failed.length === 1 && failed[0]?.condition === 'command');
  const faults = lacking.map(({ rule }) => limitFault(rule.at, rule.limits));
  const commands = lacking
    .filter((_, index) => faults[index] === null)
    .flatMap(({ failed }) => failed.map((condition) => condition.expected));
  if (commands.length > 0) return { granted: 'for_commands', commands };
  const [fault] = faults;
  return fault ? { granted: 'no', reason: fault.reason, why: `"${name}" is denied: ${fault.why}` } : denied;
}

function asText(context: CommandContext, { file, trust }: JudgedMap, rows: readonly Row[]): string {
  const { bold, green, red, yellow, dim } = context.colors.stdout;
  const lines = [dim(escapeText(file.path))];
  if (!trust.trusted)
    lines.push(yellow(`This map is not trusted (${trust.why}): every run would be refused. ${trust.hint}`));
  const granted = trust.trusted
    ? green('would be granted here')
    : yellow('would be granted here, were the map trusted');
  for (const { capability, availability, limits } of rows) {
    lines.push(
      '',
      bold(capability.name) + (capability.description ? `  ${escapeText(capability.description)}` : ''),
    );
    lines.push(`  ${capability.config.provider}  ${escapeText(scopeWords(capability.config).join(' '))}`);
    lines.push(`  ttl ${formatDuration(capability.ttl)} (at most ${formatDuration(capability.maxTtl)})`);
    if (capability.justification === 'required') lines.push('  needs a justification (-j)');
    for (const { rule, limits: figures } of limits)
      lines.push(
        `  limits of ${rule.replace(/^.*(?=rules\[)/, '')}: ${figures.map(describeLimit).join(', ')}`,
      );
    if (availability.granted === 'yes')
      lines.push(`  ${granted}${availability.approval === 'none' ? '' : ', after approval'}`);
    else if (availability.granted === 'no')
      lines.push(`  ${red(`would be denied here: ${escapeText(availability.why)}`)}`);
    else lines.push(`  ${granted} for ${escapeText(availability.commands.join(', '))}`);
  }
  return `${lines.join('\n')}\n`;
}

function asJson({ file, trust }: JudgedMap, rows: readonly Row[]): string {
  const capabilities = rows.map(({ capability, availability, limits }) => ({
    name: capability.name,
    description: capability.description,
    provider: capability.config.provider,
    scope: scopeWords(capability.config),
    ttl_seconds: capability.ttl,
    max_ttl_seconds: capability.maxTtl,
    justification: capability.justification,
    limits: limits.flatMap(({ rule, limits: figures }) => figures.map((figure) => ({ rule, ...figure }))),
    ...availability,
  }));
  return `${toJson({ map: { path: file.path, sha256: file.sha256, trusted: trust.trusted }, capabilities }, 2)}\n`;
}
