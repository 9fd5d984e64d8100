/** `capwrap list`: each capability, what it allows, and whether it would be granted here and now. */
import { formatDuration } from '../base/duration.ts';
import { escapeText, toJson } from '../base/escape.ts';
import { type JudgedMap, readJudgedMap } from '../decide.ts';
import type { ApprovalKind, Capability } from '../policy/capability.ts';
import type { Decision } from '../policy/decision.ts';
import { evaluate, needsCommitClean } from '../policy/evaluate.ts';
import { parseMap } from '../policy/parse.ts';
import { scopeWords } from '../policy/scope-words.ts';
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
  const { facts, taskId } = await gatherFacts(context.ambient, {
    wantCommitClean: capabilities.some(needsCommitClean),
  });
  const rows = capabilities.map((capability) => {
    // The reason is given at run time; what is asked here is whether the rest would be granted.
    const justification = capability.justification === 'required' ? 'given at run time' : null;
    const request = {
      capability: capability.name,
      facts,
      command: null,
      justification,
      taskId,
      ttlRequested: null,
      usage: null,
    };
    return { capability, availability: availabilityOf(evaluate(capability, request)) };
  });
  await context.out(context.json ? asJson(judged, rows) : asText(context, judged, rows));
  return 0;
}

type Row = { readonly capability: Capability; readonly availability: Availability };

/** A rule that lacks nothing but its command tells which commands would be granted. */
function availabilityOf(decision: Decision): Availability {
  if (decision.effect === 'allow') return { granted: 'yes', approval: decision.grant.approval };
  const open = decision.rules
    .filter((rule) => rule.effect === 'allow')
    .map((rule) => rule.conditions.filter((condition) => !condition.matched))
    .filter((failed) => failed.length === 1 && failed[0]?.condition === 'command');
  if (decision.reason !== 'no_rule_matched' || open.length === 0)
    return { granted: 'no', reason: decision.reason, why: decision.message };
  return {
    granted: 'for_commands',
    commands: open.flatMap((failed) => failed.map((condition) => condition.expected)),
  };
}

function asText(context: CommandContext, { file, trust }: JudgedMap, rows: readonly Row[]): string {
  const { bold, green, red, yellow, dim } = context.colors.stdout;
  const lines = [dim(escapeText(file.path))];
  if (!trust.trusted)
    lines.push(yellow(`This map is not trusted (${trust.why}): every run would be refused. ${trust.hint}`));
  const granted = trust.trusted
    ? green('would be granted here')
    : yellow('would be granted here, were the map trusted');
  for (const { capability, availability } of rows) {
    lines.push(
      '',
      bold(capability.name) + (capability.description ? `  ${escapeText(capability.description)}` : ''),
    );
    lines.push(`  ${capability.config.provider}  ${escapeText(scopeWords(capability.config).join(' '))}`);
    lines.push(`  ttl ${formatDuration(capability.ttl)} (at most ${formatDuration(capability.maxTtl)})`);
    if (capability.justification === 'required') lines.push('  needs a justification (-j)');
    if (availability.granted === 'yes')
      lines.push(`  ${granted}${availability.approval === 'none' ? '' : ', after approval'}`);
    else if (availability.granted === 'no')
      lines.push(`  ${red(`would be denied here: ${escapeText(availability.why)}`)}`);
    else lines.push(`  ${granted} for ${escapeText(availability.commands.join(', '))}`);
  }
  return `${lines.join('\n')}\n`;
}

function asJson({ file, trust }: JudgedMap, rows: readonly Row[]): string {
  const capabilities = rows.map(({ capability, availability }) => ({
    name: capability.name,
    description: capability.description,
    provider: capability.config.provider,
    scope: scopeWords(capability.config),
    ttl_seconds: capability.ttl,
    max_ttl_seconds: capability.maxTtl,
    justification: capability.justification,
    ...availability,
  }));
  return `${toJson({ map: { path: file.path, sha256: file.sha256, trusted: trust.trusted }, capabilities }, 2)}\n`;
}
