/** Fields of the provider `command`. */
import * as v from 'valibot';
import {
  duration,
  keys,
  kind,
  line,
  listOf,
  mapping,
  maybe,
  must,
  text,
  variable,
  variableValue,
} from '../../schema-fields.ts';

const program = listOf(line(4096), 'must be a list: the program and its arguments');

export const commandFields = {
  provider: kind('command', "A program of the team's own that prints a lease"),
  argv: must(
    program,
    'The program that prints a lease as JSON, and its arguments; it runs in the folder of the map',
  ),
  end: maybe(
    program,
    'The program that ends the lease which it is handed; without it the lease just expires',
  ),
  probe: maybe(program, 'The program that says whether the lease which it is handed still works'),
  principal: maybe(line(), 'Whom the credential must be for; a lease for another, or for nobody, is ended'),
  scope: must(
    listOf(text(/^[!#-[\]-~]+$/, 'must be a word without blanks, quotes or backslashes', 256)),
    'What the credential may do at most, in words that the program is told and knows',
  ),
  timeout: maybe(duration, 'The longest that the program may take to print a lease; default 30s'),
  program_env: maybe(
    mapping(
      keys({
        pass: maybe(
          v.array(variable, 'must be a list of variable names'),
          'Variables of the caller that the programs get',
        ),
        set: maybe(
          mapping(v.record(variable, variableValue), 'Variables and their values'),
          'Variables with fixed values; never a credential',
        ),
      }),
      'Variables of the programs',
    ),
    "Variables that the programs get beside capwrap's own and PATH (the system's); the command does not get them",
  ),
};
