/** The program: what every command understands, and the commands in the order of the help. */
import { Command, Help, type Option } from 'commander';
import { VERSION } from './base/version.ts';
import { adder, type Invocation } from './program/add.ts';
import { addApprovalCommands } from './program/approval-commands.ts';
import { addAuditCommands } from './program/audit-commands.ts';
import { addIssuerCommands } from './program/issuer-commands.ts';
import { addLeaseCommands } from './program/lease-commands.ts';
import { addMachineCommands } from './program/machine-commands.ts';
import { addMapCommands } from './program/map-commands.ts';
import { addRunCommands } from './program/run-commands.ts';
import * as help from './ui/help.ts';
import { writeNow } from './ui/write-now.ts';

/** All commands, for one invocation. Nothing of a command's own code is loaded before it runs. */
export function buildProgram(invocation: Invocation): Command {
  const program = new Command('capwrap')
    .description(
      'Run one command with one short-lived, narrowed credential, and say truthfully how it ended.',
    )
    .version(`capwrap ${VERSION}`, '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .configureHelp({ showGlobalOptions: true, visibleGlobalOptions })
    .helpCommand(false)
    .option(
      '-f, --map <file>',
      'capability map (default: capabilities.yaml here or above, in the same git work tree)',
    )
    .option('--json', 'JSON where a tool would read it')
    .option('--quiet', "leave out capwrap's own lines, errors apart")
    .option('--debug', 'phase timings and places of unexpected errors on standard error; never a secret')
    .option('--no-color', 'no colours')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => writeNow(1, text),
      writeErr: () => undefined,
      outputError: () => undefined,
    })
    .addHelpText('after', help.PROGRAM);

  const add = adder(invocation);
  addRunCommands(add, program, invocation);
  addMapCommands(add, program);
  addApprovalCommands(add, program);
  addLeaseCommands(add, program);
  addAuditCommands(add, program);
  addIssuerCommands(add, program);
  addMachineCommands(add, program, invocation);
  return program;
}

/** But for one whose letter means something else to the command. */
function visibleGlobalOptions(command: Command): Option[] {
  const taken = new Set(command.options.map(({ short }) => short));
  const all = Object.assign(new Help(), { showGlobalOptions: true }).visibleGlobalOptions(command);
  return all.filter(({ short }) => short === undefined || !taken.has(short));
}
