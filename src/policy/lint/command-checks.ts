/** Command conditions that let more run than the program they name. */
import { basename, dirname } from 'node:path';
import type { CommandPattern } from '../capability.ts';
import type { Check, Found, RuleSubject } from './check.ts';
import { type CodePath, codePath } from './code-paths.ts';
import { wordsOf } from './command-words.ts';

interface Command {
  readonly kind: CommandPattern['kind'];
  readonly program: string;
  /** The words that the pattern pins, the program first. */
  readonly words: readonly string[];
}

type Saying = Omit<Found, 'at'>;

export const COMMAND_CHECKS: readonly Check<RuleSubject>[] = [
  {
    code: 'bare_program',
    severity: 'warning',
    why: 'another program of that name, earlier in PATH, matches too',
    find: eachCommand(({ program }) =>
      program.includes('/')
        ? null
        : {
            message: `"${program}" is found through the PATH of the caller`,
            fix: 'write the path of the program',
          },
    ),
  },
  {
    code: 'any_program',
    severity: 'warning',
    why: 'whoever can put a file there runs it with the credential',
    find: eachCommand(({ program }) =>
      basename(program).includes('*')
        ? {
            message: `"${program}" allows every program that fits`,
            fix: 'name the programs, one rule for each',
          }
        : null,
    ),
  },
  {
    code: 'any_folder',
    severity: 'warning',
    why: 'whoever can make a folder that fits runs a program of that name with the credential',
    find: eachCommand(({ program }) =>
      dirname(program).includes('*')
        ? { message: `"${program}" allows that program in any folder that fits`, fix: 'write the whole path' }
        : null,
    ),
  },
  {
    code: 'program_with_blank',
    severity: 'warning',
    why: 'text names the program alone, so arguments in it never match',
    find: eachCommand(({ kind, program }) =>
      kind === 'program' && /\s/.test(program)
        ? {
            message: `"${program}" is one program whose name holds a blank`,
            fix: `write a list: [${program.split(/\s+/).join(', ')}]`,
          }
        : null,
    ),
  },
  {
    code: 'any_code',
    severity: 'warning',
    why: 'the rule allows every command that it can be told to run',
    find: eachCodePath('any', ({ program }) => ({
      message: `"${program}" runs any code`,
      fix: 'name the script alone: "command: ./path/of/the/script"',
    })),
  },
  {
    code: 'code_by_option',
    severity: 'warning',
    why: 'a list matches the beginning of the arguments, and what follows can run any code',
    find: eachCodePath('option', ({ program, by }) => ({
      message: `"${program}" can be told to run a command (${by})`,
      fix: `write a script that calls ${program} with fixed arguments, and name the script`,
    })),
  },
  {
    code: 'script_by_cwd',
    severity: 'warning',
    why: 'an argument is not resolved against the map, so it is whatever file lies there where the caller stands',
    find: eachCodePath('cwd', ({ program, script }) => ({
      message: `"${script}" is looked up by ${program} in the folder of the caller`,
      fix: `name the script alone ("command: ${script}"), or write its absolute path`,
    })),
  },
];

function eachCommand(look: (command: Command) => Saying | null): Check<RuleSubject>['find'] {
  return function* find({ rule: { effect, when, at } }) {
    if (effect !== 'allow' || when.command === undefined) return;
    const words = wordsOf(when.command);
    const saying = look({ kind: when.command.kind, program: words[0] ?? '', words });
    if (saying !== null) yield { at: `${at}.allow.command`, ...saying };
  };
}

function eachCodePath<Kind extends CodePath['kind']>(
  kind: Kind,
  say: (path: Extract<CodePath, { kind: Kind }>) => Saying,
): Check<RuleSubject>['find'] {
  return eachCommand(({ words }) => {
    const path = codePath(words);
    return path?.kind === kind ? say(path as Extract<CodePath, { kind: Kind }>) : null;
  });
}
