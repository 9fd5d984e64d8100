/** `capwrap completion`, and the hidden `capwrap __complete` that its scripts ask. */
import type { Argument, Command as CliCommand, Option } from 'commander';
import { CapwrapError } from '../errors.ts';
import { findMapFile, readMapFile } from '../policy/map-file.ts';
import { parseMap } from '../policy/parse.ts';
import type { CommandContext } from '../ui/context.ts';
import type { Command } from './command.ts';
import { COMPLETION_SCRIPTS, SHELLS } from './completion-scripts.ts';

/** Prints the script that makes a shell complete capwrap's words. Throws ERR_USAGE for a shell that it doesn't know. */
export const completion: Command<{ readonly shell: string }> = async (context, { shell }) => {
  const known = SHELLS.find((name) => name === shell);
  if (!known) {
    throw new CapwrapError('ERR_USAGE', `"${shell}" is no shell that completion is made for`, {
      hint: `capwrap completion ${SHELLS.join('|')}`,
    });
  }
  await context.out(COMPLETION_SCRIPTS[known]);
  return 0;
};

/**
 * What the last of `words` could become, the words before it taken as they are; the command's name is not among them.
 * Empty where a file name or free text belongs. Reads the map, trusted or not; whatever is wrong with it only means
 * that no capability is suggested. Never throws.
 */
export async function completeWords(
  context: CommandContext,
  words: readonly string[],
  program: CliCommand,
): Promise<string[]> {
  try {
    return suggest(program, joinSplitValues(words), context);
  } catch {
    return [];
  }
}

/** bash splits `--map=x` into three words; the `=` between an option and its value is dropped. */
function joinSplitValues(words: readonly string[]): string[] {
  const last = words.at(-1) === '=' ? [...words, ''] : words;
  return last.filter((word, index) => word !== '=' || !last[index - 1]?.startsWith('--'));
}

function suggest(program: CliCommand, words: readonly string[], context: CommandContext): string[] {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  if (before.includes('--')) return [];
  const { command, given, open, map } = walk(program, before);
  const startsWell = (word: string) => word.startsWith(current);
  if (open) return valuesOf(open, context, map).filter(startsWell);
  const inline = /^(--[a-z-]+=)/.exec(current)?.[1];
  if (inline !== undefined) {
    const option = optionsOf(command).find(({ long }) => `${long}=` === inline);
    const values = option ? valuesOf(option, context, map) : [];
    return values.map((value) => inline + value).filter(startsWell);
  }
  if (current.startsWith('-')) {
    const names = optionsOf(command).flatMap((option) => (option.hidden ? [] : (option.long ?? [])));
    return [...names, ...(takesCommand(command) ? ['--'] : [])].filter(startsWell);
  }
  const argument = command.registeredArguments[given];
  const commands = command.createHelp().visibleCommands(command);
  const choices = argument
    ? valuesOf(argument, context, map)
    : given === 0
      ? commands.map((each) => each.name())
      : [];
  return choices.filter(startsWell);
}

interface Walk {
  readonly command: CliCommand;
  /** How many arguments the command has got. */
  readonly given: number;
  /** The option whose value comes next. */
  readonly open: Option | undefined;
  /** The map that was named. */
  readonly map: string | undefined;
}

/** Takes the words as commander would: into subcommands, past options and their values. */
function walk(program: CliCommand, words: readonly string[]): Walk {
  let command = program;
  let given = 0;
  let open: Option | undefined;
  let map: string | undefined;
  for (const word of words) {
    if (open) {
      if (open.long === '--map') map = word;
      open = undefined;
    } else if (word.startsWith('-')) {
      const [name, value] = word.split('=', 2);
      const option = optionsOf(command).find(({ short, long }) => short === name || long === name);
      if (option?.long === '--map' && value !== undefined) map = value;
      open = option && (option.required || option.optional) && value === undefined ? option : undefined;
    } else {
      const child = given === 0 ? command.commands.find((each) => each.name() === word) : undefined;
      if (child) command = child;
      else given++;
    }
  }
  return { command, given, open, map };
}

/** The command's own options and those of the commands above it. */
function optionsOf(command: CliCommand): Option[] {
  const own = command.createHelp().visibleOptions(command);
  return command.parent
    ? [...own, ...optionsOf(command.parent).filter(({ long }) => !own.some((o) => o.long === long))]
    : [...own];
}

function takesCommand(command: CliCommand): boolean {
  return optionsOf(command).some(({ long }) => long === '--justification');
}

/** Options whose value is a capability; of arguments only that of `explain` is one. */
const CAPABILITY_OPTIONS = new Set(['--capability', '--aws-role']);

function valuesOf(slot: Option | Argument, context: CommandContext, map: string | undefined): string[] {
  if (slot.argChoices) return [...slot.argChoices];
  const isCapability = 'long' in slot ? CAPABILITY_OPTIONS.has(slot.long ?? '') : slot.name() === 'name';
  return isCapability ? capabilityNames(context, map) : [];
}

function capabilityNames({ ambient }: CommandContext, explicit: string | undefined): string[] {
  try {
    const file = readMapFile(findMapFile(ambient, explicit), ambient);
    return [...parseMap(file.bytes, file).capabilities.keys()];
  } catch {
    return [];
  }
}
