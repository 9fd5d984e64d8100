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
      const { check } = await import('../commands/others.ts');
      return check(context, {
        file: file ?? values.map,
        format: values.format ?? (context.json ? 'json' : 'text'),
      });
    },
  ).addOption(
    new Option('--format <format>', 'text, json, or github annotations').choices(['text', 'json', 'github']),
  );
  add(program, 'trust [file]', "pin a map's exact content", help.TRUST, async (context, values, file) => {
    const { trust } = await import('../commands/others.ts');
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
      const { untrust } = await import('../commands/others.ts');
      return untrust(context, { file: file ?? values.map, sha256: values.sha256 });
    },
  ).option('--sha256 <digest>', 'remove only this digest');
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
