/** `capwrap list`: each capability, what it allows, and whether it would be granted here and now. */
import { formatDuration } from '../base/duration.ts';
import { escapeText, toJson } from '../base/escape.ts';
import { type JudgedMap, readJudgedMap, verifiedFacts } from '../decide.ts';
import { usageOf } from '../limits-of-run.ts';
import type { Capability } from '../policy/capability.ts';
import { needsCommitClean } from '../policy/evaluate.ts';
import { describeLimit } from '../policy/limits.ts';
import { parseMap } from '../policy/parse.ts';
import { scopeWords } from '../policy/providers/index.ts';
import { gatherFacts } from '../request/gather-facts.ts';
import type { CommandContext } from '../ui/context.ts';
import { type Standing, standingOf } from './availability.ts';

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
    rows.push({ capability, ...standingOf(capability, { ...request, usage }) });
  }
  await context.out(context.json ? asJson(judged, rows) : asText(context, judged, rows));
  return 0;
}

interface Row extends Standing {
  readonly capability: Capability;
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
    if (availability.granted === 'no') {
      lines.push(`  ${red(`would be denied here: ${escapeText(availability.why)}`)}`);
      continue;
    }
    const { except } = availability;
    const but = except.length === 0 ? '' : `, but not for ${escapeText(except.join(', '))}`;
    if (availability.granted === 'yes')
      lines.push(`  ${granted}${availability.approval === 'none' ? '' : ', after approval'}${but}`);
    else lines.push(`  ${granted} for ${escapeText(availability.commands.join(', '))}${but}`);
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
