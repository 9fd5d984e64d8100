/** Reads the first line of a script: which program the kernel will start for it (execve(2), "Interpreter scripts"). */
import { basename } from 'node:path';
import { peekFile } from './peek-file.ts';

export interface Shebang {
  /** As written. */
  readonly interpreter: string;
  /** The program that `env` is to look up on the child's PATH, or null where the interpreter isn't `env`. */
  readonly viaEnv: string | null;
  /** True where the line ends in CR, which the kernel takes for a part of the last word. */
  readonly crlf: boolean;
}

/** The `#!` line of a file, or null where it has none or can't be read (a program may be executable only). */
export function readShebang(path: string): Shebang | null {
  const line = firstLine(path);
  if (!line?.startsWith('#!')) return null;
  const crlf = line.endsWith('\r');
  const [, interpreter = '', argument = ''] = /^#![ \t]*([^ \t]*)[ \t]*(.*?)[ \t\r]*$/.exec(line) ?? [];
  const program = interpreter.replace(/\r$/, '');
  if (program === '') return null; // the C library hands it to sh
  return { interpreter: program, viaEnv: basename(program) === 'env' ? programOfEnv(argument) : null, crlf };
}

/** Newer kernels read 255 bytes of the line, older ones 127. */
const LONGEST_LINE = 256;

function firstLine(path: string): string | null {
  return peekFile(path, (read) => read(0, LONGEST_LINE).toString('utf8').split('\n', 1)[0] ?? null);
}

/**
 * The program that `env` starts: its one argument, or with `-S` the first word that is neither an option nor an
 * assignment. Null where the line is beyond this reading (quotes, an own PATH); then env itself speaks up.
 */
function programOfEnv(argument: string): string | null {
  const split = /^(?:-[v0i]*S|--split-string[= ])\s*(.*)$/.exec(argument)?.[1];
  if (split === undefined) {
    // Linux hands over the rest of the line as one word, macOS word by word.
    const program = process.platform === 'darwin' ? argument.split(/\s/, 1)[0] : argument;
    return !program || program.startsWith('-') ? null : program;
  }
  if (/["'\\$#]/.test(split)) return null;
  const words = split.split(/\s+/);
  while (words.length > 0) {
    const word = words.shift() ?? '';
    if (/^(?:-u|-C|--unset|--chdir)$/.test(word)) words.shift();
    else if (word === '-i' || word === '-' || word.startsWith('PATH=')) return null;
    else if (!word.startsWith('-') && !word.includes('=')) return word === '' ? null : word;
  }
  return null;
}
