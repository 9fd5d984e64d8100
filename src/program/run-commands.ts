/** `run`, and the commands that tell what a run would be allowed. */
import { type Command, Option } from 'commander';
import * as help from '../ui/help.ts';
import type { Add, Invocation } from './add.ts';
import { descriptor, duration } from './values.ts';

export function addRunCommands(add: Add, program: Command, invocation: Invocation): void {
  const run = add(
    program,
    'run',
    'run one command with the credential of a capability',
    help.RUN,
    async (context, values) => {
      invocation.endsAtOnce = true;
      const { runCommand } = await import('../commands/run.ts');
      return runCommand(context, values, invocation.command, invocation.phases);
    },
  );
  run.usage('[options] -- CMD [ARG...]');
  requestOptions(run.option('-c, --capability <name>', 'the capability that the command needs'))
    .option('--dry-run', 'decide and explain; obtain nothing, start nothing')
    .addOption(
      new Option('--approval-timeout <duration>', 'how long to wait for a human')
        .argParser(duration)
        .default(300, '5m'),
    )
    .option(
      '--approval <id|file>',
      'use an approval that was given: what is left out here is taken from its request',
    )
    .option('--no-wait', 'where a human must answer: ask, print the id and end at once with 122')
    .option(
      '--kill-after <duration>',
      "time between TERM and KILL where the command is ended; at most the map's kill_after",
      duration,
    )
    .option('--events-fd <number>', 'also write events as JSON lines to this descriptor', descriptor);

  requestOptions(
    add(
      program,
      'explain <name>',
      'show how a request is decided, condition by condition',
      help.EXPLAIN,
      async (context, values, name) => {
        const { explain } = await import('../commands/others.ts');
        return explain(context, { ...values, capability: name }, invocation.command);
      },
    ).usage('<name> [options] [-- CMD [ARG...]]'),
  );
  add(
    program,
    'list',
    'list the capabilities, and whether each would be granted here and now',
    help.LIST,
    async (context, values) => {
      const { list } = await import('../commands/others.ts');
      return list(context, values);
    },
  );
}

/** The options that describe a request, shared by `run` and `explain`. */
function requestOptions(command: Command): Command {
  return command
    .option('-j, --justification <text>', 'why; recorded and shown to approvers')
    .option('--task-id <id>', 'the task that this run belongs to')
    .option('--actor <name>', 'who asks')
    .option('--environment <name>', 'the environment that is meant')
    .option('--ttl <duration>', 'how long the credential is needed: 900, 15m, 1h30m');
}
