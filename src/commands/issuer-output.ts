/** One line of facts on standard output: `name key=value ...`, or a JSON object for tools. */
import { escapeValue, toJson } from '../base/escape.ts';
import type { CommandContext } from '../ui/context.ts';

export async function printFacts(
  context: CommandContext,
  event: string,
  facts: Readonly<Record<string, string | number | null>>,
): Promise<void> {
  await context.out(`${context.json ? toJson({ event, ...facts }) : line(context, event, facts)}\n`);
}

function line(
  { colors }: CommandContext,
  event: string,
  facts: Readonly<Record<string, string | number | null>>,
): string {
  const { bold, dim } = colors.stdout;
  const pairs = Object.entries(facts).map(
    ([key, value]) => `${dim(`${key}=`)}${value === null ? 'none' : escapeValue(String(value))}`,
  );
  return `${bold(event)} ${pairs.join(' ')}`;
}
