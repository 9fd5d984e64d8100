/** The words that a command condition pins, the program first. */
import type { CommandPattern } from '../capability.ts';

export function wordsOf(command: CommandPattern): readonly string[] {
  switch (command.kind) {
    case 'program':
      return [command.program];
    case 'pinned':
      return [command.path];
    case 'prefix':
      return command.argv;
  }
}
