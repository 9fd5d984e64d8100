/** `capwrap explain` and `capwrap run --dry-run`: the decision, and what would be asked of the issuer. Obtains nothing. */

import { escapeText, toJson } from '../base/escape.ts';
import { newLeaseId } from '../broker/lease-id.ts';
import { loadProvider } from '../broker/registry.ts';
import { decide, type RequestOptions, readJudgedMap, type Situation } from '../decide.ts';
import { EXIT_STATUS } from '../errors.ts';
import { decisionJson, describeDecision } from '../policy/explain-text.ts';
import { commandError } from '../runner/command-error.ts';
import type { CommandContext } from '../ui/context.ts';

/** 0 where the request would be granted, 1 where it would be denied. */
export async function explain(
  context: CommandContext,
  options: RequestOptions,
  argv: readonly string[] | null,
): Promise<number> {
  const situation = await show(context, options, argv);
  return situation.decision.effect === 'allow' ? 0 : 1;
}

/** As `explain`, with the exit status that the run itself would have had up to the point where it obtains something. */
export async function dryRun(
  context: CommandContext,
  options: RequestOptions,
  argv: readonly string[],
): Promise<number> {
  const { trust, decision, request } = await show(context, options, argv);
  if (!trust.trusted) return EXIT_STATUS.ERR_MAP_UNTRUSTED;
  if (decision.effect === 'deny') return EXIT_STATUS.ERR_DENIED;
  return request.command?.fault ? commandError(request.command.fault).exitStatus : 0;
}

async function show(
  context: CommandContext,
  options: RequestOptions,
  argv: readonly string[] | null,
): Promise<Situation> {
  const situation = await decide(context, await readJudgedMap(context, options.map), options, argv);
  const preview = await previewOf(situation);
  await context.out(
    context.json ? `${toJson(asJson(situation, preview), 2)}\n` : asText(context, situation, preview),
  );
  return situation;
}

/** What an allowed request would send to the issuer; null for a denied one. */
async function previewOf({
  capability,
  decision,
  request,
}: Situation): Promise<Readonly<Record<string, unknown>> | null> {
  if (decision.effect === 'deny') return null;
  const provider = await loadProvider(capability.config.provider);
  return provider.preview({
    leaseId: newLeaseId(),
    capability,
    ttl: decision.grant.ttl,
    deadline: new Date(Date.now() + decision.grant.ttl * 1000),
    approval: decision.grant.approval,
    actor: request.facts.actor.value ?? 'unknown',
    taskId: request.taskId,
  });
}

function asText(
  context: CommandContext,
  situation: Situation,
  preview: Readonly<Record<string, unknown>> | null,
): string {
  const { file, trust, capability, request, decision } = situation;
  const { bold, yellow } = context.colors.stdout;
  const lines = [bold(`${capability.name} in ${escapeText(file.path)}`)];
  if (!trust.trusted)
    lines.push(yellow(`This map is not trusted (${trust.why}): a run would be refused. ${trust.hint}`));
  lines.push(...describeDecision(decision, context.colors.stdout));
  if (request.command?.fault)
    lines.push(yellow(`The command can't be started: ${escapeText(request.command.fault.message)}`));
  if (preview)
    lines.push('', bold('The issuer would be asked for'), ...indent(escapeLines(toJson(preview, 2))));
  return `${lines.join('\n')}\n`;
}

/** Described by schema/explain.schema.json. */
function asJson(situation: Situation, preview: Readonly<Record<string, unknown>> | null): object {
  const { file, trust, request, decision } = situation;
  return {
    schema_version: 1,
    map: {
      path: file.path,
      sha256: file.sha256,
      trusted: trust.trusted,
      ...(trust.trusted ? { grade: trust.grade } : { why: trust.why }),
    },
    capability: request.capability,
    task_id: request.taskId,
    facts: request.facts,
    command: request.command && {
      argv: request.command.argv,
      path: request.command.path,
      fault: request.command.fault?.kind ?? null,
    },
    decision: decisionJson(decision),
    request_to_issuer: preview,
  };
}

function escapeLines(text: string): string[] {
  return text.split('\n').map(escapeText);
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
