/** Does the command of a request fit a rule's `command` condition? */
import { resolve } from 'node:path';
import type { ResolvedCommand } from '../request/run-request.ts';
import type { CommandPattern } from './capability.ts';
import { compilePattern, isMatchable, matchWhole } from './pattern.ts';

/** The answer, with what was looked at. `null` for `matched`: it could not be told, and `from` says why. */
export interface CommandMatch {
  readonly matched: boolean | null;
  readonly observed: string | null;
  readonly from: string;
}

export function matchCommand(pattern: CommandPattern, command: ResolvedCommand | null): CommandMatch {
  if (command === null) return { matched: null, observed: null, from: 'no command given' };
  switch (pattern.kind) {
    case 'program':
      return matchProgram(pattern.program, command);
    case 'prefix':
      return matchPrefix(pattern.argv, command);
    case 'pinned':
      return matchPinned(pattern.path, pattern.sha256, command);
  }
}

/** The condition as people read it. */
export function describeCommandPattern(pattern: CommandPattern): string {
  switch (pattern.kind) {
    case 'program':
      return pattern.program;
    case 'prefix':
      return `${pattern.argv.join(' ')} ...`;
    case 'pinned':
      return `${pattern.path} with sha256 ${pattern.sha256}`;
  }
}

/** With a `/` it is a path and held against the file that would start; without, against the word that was typed. */
function matchProgram(program: string, command: ResolvedCommand): CommandMatch {
  const [word = ''] = command.argv;
  if (!program.includes('/')) return matchWord(program, word, 'the first word');
  const spellings = pathSpellings(program, command);
  if (command.path === null) {
    return { matched: null, observed: null, from: command.fault?.message ?? 'the program was not looked up' };
  }
  if (!isMatchable(command.path)) return unreadable('the program');
  const matched = spellings.some((path) => matchWhole(program, path));
  return { matched, observed: command.path, from: 'the program that would start' };
}

/**
 * The program's path with its folder's links resolved; and, for a rule that names one file, also the path as it was
 * typed: `/bin/sh` is `/bin/sh` where `/bin` is a link. A typed path with `..` could name another file than it says.
 * Paths are compared as they are, without Unicode normalisation: two spellings can be two files.
 */
function pathSpellings(program: string, command: ResolvedCommand): readonly string[] {
  const [word = ''] = command.argv;
  const resolved = command.path === null ? [] : [command.path];
  if (program.includes('*') || !word.includes('/') || word.split('/').includes('..')) return resolved;
  return [...resolved, resolve(command.cwd, word)];
}

function matchPrefix(argv: readonly string[], command: ResolvedCommand): CommandMatch {
  const [program = '', ...rest] = argv;
  const first = matchProgram(program, command);
  const results = [
    first,
    ...rest.map((pattern, index): CommandMatch => {
      const word = command.argv[index + 1];
      const from = `argument ${index + 1}`;
      return word === undefined ? { matched: false, observed: null, from } : matchWord(pattern, word, from);
    }),
  ];
  const unknown = results.find(({ matched }) => matched === null);
  if (results.every(({ matched }) => matched !== false) && unknown !== undefined) return unknown;
  return {
    matched: results.every(({ matched }) => matched === true),
    observed: command.argv.join(' '),
    from: 'the words of the command',
  };
}

function matchPinned(path: string, sha256: string, command: ResolvedCommand): CommandMatch {
  const program = matchProgram(path, command);
  if (program.matched !== true) return program;
  if (command.sha256 === null) return { matched: null, observed: null, from: 'its content was not read' };
  return {
    matched: command.sha256 === sha256,
    observed: `${command.path} with sha256 ${command.sha256}`,
    from: 'the content of the program',
  };
}

function matchWord(text: string, word: string, from: string): CommandMatch {
  if (!isMatchable(word)) return unreadable(from);
  const pattern = compilePattern(text);
  return { matched: pattern.ok && pattern.matches(word), observed: word, from };
}

function unreadable(what: string): CommandMatch {
  return { matched: null, observed: null, from: `${what} holds a newline or control character` };
}
