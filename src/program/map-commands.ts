/** The commands that work on the capability map. */
import { type Command, Option } from 'commander';
import * as help from '../ui/help.ts';
import type { Add } from './add.ts';

export function addMapCommands(add: Add, program: Command): void {
  add(
    program,
    'check [file]',
    'validate a map: syntax, schema, lint, inline tests',
    help.CHECK,
    async (context, values, file) => {
      const { check, checkAgainst } = await import('../commands/others.ts');
      const options = {
        file: file ?? values.map,
        format: values.format ?? (context.json ? 'json' : 'text'),
      };
      if (values.against === undefined && values.failOn === undefined) return check(context, options);
      return checkAgainst(context, { ...options, against: values.against, failOn: values.failOn });
    },
  )
    .addOption(
      new Option('--format <format>', 'text, json, or github annotations').choices([
        'text',
        'json',
        'github',
      ]),
    )
    .option('--against <ref|file>', 'what the map allows more or less than that version of it')
    .addOption(
      new Option(
        '--fail-on <changes>',
        'which changes make the status 1: widening (default), any, never',
      ).choices(['widening', 'any', 'never']),
    );
  add(program, 'trust [file]', "pin a map's exact content", help.TRUST, async (context, values, file) => {
    const { trust } = await import('../commands/others.ts');
    return trust(context, { ...values, file: file ?? values.map });
  })
    .option('--sha256 <digest>', 'pin exactly this digest without asking; graded as non-interactive')
    .option('--statement', 'print the statement that an approver of the version before signs')
    .option('--signature <file>', "pin with an approver's signature over that statement")
    .option('--key <file>', "show what changed, ask, and sign with an approver's key through ssh-keygen")
    .option('--list', 'list the pins, their grades and signers');
  add(
    program,
    'untrust [file]',
    "remove the pins of a map's content",
    help.UNTRUST,
    async (context, values, file) => {
      const { untrust } = await import('../commands/others.ts');
      return untrust(context, { ...values, file: file ?? values.map });
    },
  )
    .option('--sha256 <digest>', 'remove only this digest')
    .option('--forget', 'forget also whose signature the next version needs; asks on the terminal');
  add(
    program,
    'init',
    'write a starter map for this repository, or print the IAM role of a capability',
    help.INIT,
    async (context, values) => {
      const { init } = await import('../commands/others.ts');
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
  add(program, 'schema', "print the map's JSON Schema", help.SCHEMA, async (context) => {
    const { schema } = await import('../commands/others.ts');
    return schema(context, {});
  });
}
