/** The commands, their options and their help. Each command's code is loaded only when it is the one that runs. */
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from './base/duration.ts';
import { VERSION } from './base/version.ts';
import type { CommandContext } from './commands/context.ts';
import { CapwrapError } from './errors.ts';
import type { CommonOptions } from './ui/context.ts';
import * as help from './ui/help.ts';
import type { Phases } from './ui/phases.ts';

/** What the command line was split into, and the status that the command answered with. */
export interface Invocation {
  /** The words behind `--`; null where there is no `--`. */
  readonly command: readonly string[] | null;
  readonly phases: Phases;
  readonly context: (options: CommonOptions) => CommandContext;
  status?: number;
}

// biome-ignore lint/suspicious/noExplicitAny: commander types parsed options this way; each action names what it reads
type Values = any;
type Action = (context: CommandContext, values: Values, word: string | undefined) => Promise<number>;

const TAKES_COMMAND = new Set(['run', 'explain']);

export function buildProgram(invocation: Invocation): Command {
  const program = new Command('capwrap')
    .description(
      'Run one command with one short-lived, narrowed credential, and say truthfully how it ended.',
    )
    .version(`capwrap ${VERSION}`, '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .configureHelp({ showGlobalOptions: true })
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
    .configureOutput({ writeErr: () => undefined, outputError: () => undefined })
    .addHelpText('after', help.PROGRAM);

  const add = (
    parent: Command,
    spec: string,
    description: string,
    example: string,
    action: Action,
  ): Command =>
    parent
      .command(spec)
      .description(description)
      .addHelpText('after', example)
      .allowExcessArguments(false)
      .action(async (...given: unknown[]) => {
        const command = given.at(-1) as Command;
        const values: Values = command.optsWithGlobals();
        if (invocation.command !== null && !TAKES_COMMAND.has(command.name())) {
          const path = [...(command.parent === program ? [] : [command.parent?.name()]), command.name()].join(
            ' ',
          );
          throw new CapwrapError('ERR_USAGE', `"capwrap ${path}" takes no command behind "--"`);
        }
        const word = command.processedArgs[0] as string | undefined;
        invocation.status = await action(invocation.context(values), values, word);
      });

  const run = add(
    program,
    'run',
    'run one command with the credential of a capability',
    help.RUN,
    async (context, values) => {
      const { runCommand } = await import('./commands/run.ts');
      return runCommand(context, values, requireCommand(invocation.command), invocation.phases);
    },
  );
  run.usage('[options] -- CMD [ARG...]');
  requestOptions(run.requiredOption('-c, --capability <name>', 'the capability that the command needs'))
    .option('--dry-run', 'decide and explain; obtain nothing, start nothing')
    .addOption(
      new Option('--approval-timeout <duration>', 'how long to wait for a human')
        .argParser(duration)
        .default(300, '5m'),
    )
    .option('--no-wait', 'deny at once where a human would have to answer')
    .option('--events-fd <number>', 'also write events as JSON lines to this descriptor', descriptor);

  requestOptions(
    add(
      program,
      'explain <name>',
      'show how a request is decided, condition by condition',
      help.EXPLAIN,
      async (context, values, name) => {
        const { explain } = await import('./commands/others.ts');
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
      const { list } = await import('./commands/others.ts');
      return list(context, values);
    },
  );
  add(
    program,
    'check [file]',
    'validate a map: syntax, schema, lint, inline tests',
    help.CHECK,
    async (context, values, file) => {
      const { check } = await import('./commands/others.ts');
      return check(context, {
        file: file ?? values.map,
        format: values.format ?? (context.json ? 'json' : 'text'),
      });
    },
  ).addOption(
    new Option('--format <format>', 'text, json, or github annotations').choices(['text', 'json', 'github']),
  );
  add(program, 'trust [file]', "pin a map's exact content", help.TRUST, async (context, values, file) => {
    const { trust } = await import('./commands/others.ts');
    return trust(context, { file: file ?? values.map, sha256: values.sha256, list: values.list });
  })
    .option('--sha256 <digest>', 'pin exactly this digest without asking; graded as non-interactive')
    .option('--list', 'list the pins');
  add(
    program,
    'untrust [file]',
    "remove the pins of a map's content",
    help.UNTRUST,
    async (context, values, file) => {
      const { untrust } = await import('./commands/others.ts');
      return untrust(context, { file: file ?? values.map, sha256: values.sha256 });
    },
  ).option('--sha256 <digest>', 'remove only this digest');
  addAudit(add, program);
  addIssuer(add, program);
  add(
    program,
    'init',
    'write a starter map for this repository, or print the IAM role of a capability',
    help.INIT,
    async (context, values) => {
      const { init } = await import('./commands/others.ts');
      return init(context, { ...values, file: values.map });
    },
  )
    .option('--force', 'replace an existing map')
    .option(
      '--aws-role <capability>',
      'print the trust and permission policies of the role that a capability needs',
    )
    .option('--principal <arn>', 'who may assume the role (for profile and env sources)')
    .option(
      '--oidc-provider <host>',
      'the OIDC provider whose tokens may assume the role (for web identity sources)',
    );
  add(
    program,
    'doctor',
    'say what works and what does not on this machine',
    help.DOCTOR,
    async (context, values) => {
      const { doctor } = await import('./commands/others.ts');
      return doctor(context, { file: values.map, offline: values.offline ?? false });
    },
  ).option('--offline', 'ask no host');
  add(program, 'schema', "print the map's JSON Schema", help.SCHEMA, async (context) => {
    const { schema } = await import('./commands/others.ts');
    return schema(context, {});
  });
  add(
    program,
    'completion',
    'print a completion script',
    help.COMPLETION,
    async (context, _values, shell) => {
      const { completion } = await import('./commands/others.ts');
      return completion(context, { shell: shell as 'bash' });
    },
  ).addArgument(new Argument('<shell>', 'the shell to complete in').choices(['bash', 'zsh', 'fish']));
  program.command('__complete', { hidden: true }).action(async () => {
    const { completeWords } = await import('./commands/others.ts');
    const context = invocation.context({ color: false });
    const words = await completeWords(context, invocation.command ?? []);
    await context.out(words.map((word) => `${word}\n`).join(''));
  });
  return program;
}

type Add = (parent: Command, spec: string, description: string, example: string, action: Action) => Command;

function addAudit(add: Add, program: Command): void {
  const audit = program
    .command('audit')
    .description('read the audit log')
    .helpCommand(false)
    .addHelpText('after', help.AUDIT);
  add(audit, 'list', 'one line per lease, and the denials', help.AUDIT_LIST, async (context, values) => {
    const { auditList } = await import('./commands/others.ts');
    return auditList(context, values);
  })
    .option('--capability <name>')
    .option('--repo <repo>')
    .option('--task <id>')
    .option('--actor <name>')
    .option('--since <time>', 'a date, or a duration back from now such as 2h')
    .option('--outcome <outcome>')
    .option('--lease <id>')
    .option('--event <event>')
    .option('-n, --last <count>', 'only the last ones', count);
  add(audit, 'show <lease>', "one lease's story", help.AUDIT_SHOW, async (context, _values, lease) => {
    const { auditShow } = await import('./commands/others.ts');
    return auditShow(context, { lease: lease ?? '' });
  });
  add(audit, 'tail', 'the latest records as they are', help.AUDIT_TAIL, async (context, values) => {
    const { auditTail } = await import('./commands/others.ts');
    return auditTail(context, { follow: values.follow ?? false, last: values.last });
  })
    .option('--follow', 'go on printing new records')
    .option('-n, --last <count>', 'how many', count, 10);
  add(
    audit,
    'verify',
    'check the hash chain; names the first bad line',
    help.AUDIT_VERIFY,
    async (context) => {
      const { auditVerify } = await import('./commands/others.ts');
      return auditVerify(context, {});
    },
  );
}

function addIssuer(add: Add, program: Command): void {
  const issuer = program
    .command('issuer')
    .helpCommand(false)
    .description('the embedded issuer')
    .addHelpText('after', help.ISSUER);
  add(issuer, 'init', "create the issuer's key, or rotate it", help.ISSUER_INIT, async (context, values) => {
    const { issuerInit } = await import('./commands/others.ts');
    return issuerInit(context, values);
  })
    .option('--issuer <url>', 'the issuer that tokens name')
    .option('--rotate', 'make a new key; tokens of the old one stay verifiable until they expire');
  add(issuer, 'jwks', 'print the public keys', help.ISSUER_JWKS, async (context) => {
    const { issuerJwks } = await import('./commands/others.ts');
    return issuerJwks(context, {});
  });
  add(
    issuer,
    'serve',
    'serve the public keys and the revocation list over HTTP',
    help.ISSUER_SERVE,
    async (context, values) => {
      const { issuerServe } = await import('./commands/others.ts');
      return issuerServe(context, values);
    },
  )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 takes a free one', port, 0);
  add(
    issuer,
    'verify [file]',
    'check a token from a file or standard input as a service would',
    help.ISSUER_VERIFY,
    async (context, values, file) => {
      const { issuerVerify } = await import('./commands/others.ts');
      return issuerVerify(context, { ...values, file });
    },
  )
    .option('--audience <audience>', 'the audience that the token must name')
    .option(
      '--scope <scope>',
      'a scope that the token must hold; may be given again',
      (one: string, all: string[] = []) => [...all, one],
    )
    .option('--issuer <url>', "the issuer that the token must name (default: this machine's own)")
    .option('--jwks <place>', "file or URL of the issuer's public keys")
    .option('--revoked <place>', 'file or URL of the revocation list')
    .option('--seen <file>', 'where the ids of presented tokens are kept')
    .option('--no-seen', 'keep no account of presented tokens')
    .option('--multi-use', 'a token may be presented more than once until its end');
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

function requireCommand(command: readonly string[] | null): readonly string[] {
  if (command !== null && command.length > 0 && command[0] !== '') return command;
  throw new CapwrapError('ERR_USAGE', 'the command to run must stand behind "--"', {
    hint: 'capwrap run -c NAME -- ./script.sh',
  });
}

function duration(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === null) throw new InvalidArgumentError('Write 900, 15m or 1h30m.');
  return seconds;
}

function count(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('Not a number of lines.');
  return Number(text);
}

function descriptor(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) < 2)
    throw new InvalidArgumentError('Not a descriptor of 2 or above.');
  return Number(text);
}

function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('Not a port.');
  return Number(text);
}
