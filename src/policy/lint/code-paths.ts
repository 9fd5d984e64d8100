/** Which code a command pattern lets the caller run, where that is more than the program it names. */
import { basename } from 'node:path';
import { INTERPRETERS, type Interpreter, LAUNCHERS, OPTION_RUNNERS, rowFor } from './code-runners.ts';

/** `any`: code that the pattern doesn't name. `option`: by an argument that may follow. `cwd`: a script in the caller's folder. */
export type CodePath =
  | { readonly kind: 'any'; readonly program: string }
  | { readonly kind: 'option'; readonly program: string; readonly by: string }
  | { readonly kind: 'cwd'; readonly program: string; readonly script: string };

/** The first such path of a list of words, the program first; null where the words say which code runs. */
export function codePath(words: readonly string[]): CodePath | null {
  const [path = '', ...rest] = words;
  const program = basename(path);
  const optionRunner = rowFor(OPTION_RUNNERS, program);
  if (optionRunner !== undefined) return { kind: 'option', program, by: optionRunner.by };
  const launcher = rowFor(LAUNCHERS, program);
  if (launcher !== undefined) {
    const started = plainWords(rest, launcher.valued).slice(launcher.operands);
    const own = launcher.operands === 0 ? started : plainWords(started, launcher.valued);
    return isPinned(own[0]) ? codePath(own) : { kind: 'any', program };
  }
  const interpreter = rowFor(INTERPRETERS, program);
  return interpreter === undefined ? null : scriptPath(program, rest, interpreter);
}

function scriptPath(program: string, rest: readonly string[], row: Interpreter): CodePath | null {
  for (const [index, word] of rest.entries()) {
    if (!word.startsWith('-')) break;
    if (row.code?.test(word)) return isPinned(rest[index + 1]) ? null : { kind: 'any', program };
  }
  const words = plainWords(rest, row.valued);
  const [script] = row.subcommands.includes(words[0] ?? '') ? plainWords(words.slice(1), row.valued) : words;
  if (!isPinned(script)) return { kind: 'any', program };
  return script.includes('/') && !script.startsWith('/') ? { kind: 'cwd', program, script } : null;
}

/** The words from the first one on that is no option, no option's value and no assignment (`env A=b`). */
function plainWords(words: readonly string[], valued: readonly string[]): readonly string[] {
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (valued.includes(word)) index += 1;
    else if (!word.startsWith('-') && !/^[A-Za-z_]\w*=/.test(word)) return words.slice(index);
  }
  return [];
}

/** True for a word that says which script it is. */
function isPinned(word: string | undefined): word is string {
  return word !== undefined && !word.includes('*');
}
