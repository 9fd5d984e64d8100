/** Which `command` condition covers which; the counterpart of match-command.ts. */
import type { CommandPattern } from '../capability.ts';
import { areDisjoint, covers, coversExactly } from './pattern-covers.ts';

/**
 * True only where every command that `narrower` matches is matched by `broader`, and every one that `narrower` can't be
 * told about is matched by `broader` or can't be told about there either (a deny counts in both cases).
 */
export function coversCommand(broader: CommandPattern, narrower: CommandPattern): boolean {
  if (broader.kind === 'pinned') {
    return narrower.kind === 'pinned' && broader.path === narrower.path && broader.sha256 === narrower.sha256;
  }
  const [program = '', ...words] = argvOf(broader);
  const [narrowProgram = '', ...narrowWords] = argvOf(narrower);
  return (
    coversProgram(program, narrowProgram) &&
    words.every((word, index) => {
      const other = narrowWords[index];
      return other !== undefined && covers(word, other);
    })
  );
}

/** True only where a command that matches the one certainly fails to match the other. */
export function areCommandsDisjoint(one: CommandPattern, other: CommandPattern): boolean {
  if (one.kind === 'pinned' && other.kind === 'pinned') return one.sha256 !== other.sha256;
  const [program = '', ...words] = argvOf(one);
  const [otherProgram = '', ...otherWords] = argvOf(other);
  // Two paths can lead to one program, and one may be typed and the other looked up.
  const areWords = !program.includes('/') && !otherProgram.includes('/');
  if (areWords && areDisjoint(program, otherProgram)) return true;
  return words.some((word, index) => {
    const next = otherWords[index];
    return next !== undefined && areDisjoint(word, next);
  });
}

/** The patterns of a condition, the program first. */
export function argvOf(pattern: CommandPattern): readonly string[] {
  switch (pattern.kind) {
    case 'program':
      return [pattern.program];
    case 'prefix':
      return pattern.argv;
    case 'pinned':
      return [pattern.path];
  }
}

/** `/**`: the path of every program. */
const ANY_PATH = '/**';

/**
 * A word is held against what was typed and a path against the program, so neither covers the other. A path that names
 * one file also matches as it was typed, through links; a pattern does not, so it covers such a path only where it
 * covers every path.
 */
function coversProgram(broader: string, narrower: string): boolean {
  if (broader.includes('/') !== narrower.includes('/')) return false;
  if (!broader.includes('/')) return covers(broader, narrower);
  if (broader === narrower || coversExactly(broader, ANY_PATH)) return true;
  return broader.includes('*') && narrower.includes('*') && coversExactly(broader, narrower);
}
