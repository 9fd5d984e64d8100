/** The commands that read the audit log. */
import type { Command } from 'commander';
import * as help from '../ui/help.ts';
import type { Add } from './add.ts';
import { count, repeated } from './values.ts';

export function addAuditCommands(add: Add, program: Command): void {
  const audit = program
    .command('audit')
    .description('read the audit log')
    .helpCommand(false)
    .addHelpText('after', help.AUDIT);
  add(audit, 'list', 'one line per lease, and the denials', help.AUDIT_LIST, async (context, values) => {
    const { auditList } = await import('../commands/others.ts');
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
    const { auditShow } = await import('../commands/others.ts');
    return auditShow(context, { lease: lease ?? '' });
  });
  add(audit, 'tail', 'the latest records as they are', help.AUDIT_TAIL, async (context, values) => {
    const { auditTail } = await import('../commands/others.ts');
    return auditTail(context, { follow: values.follow ?? false, last: values.last });
  })
    .option('--follow', 'go on printing new records')
    .option('-n, --last <count>', 'how many', count, 10);
  add(
    audit,
    'rotate',
    'rotate, compress and remove files as the settings say',
    help.AUDIT_ROTATE,
    async (context, values) => {
      const { auditRotate } = await import('../commands/others.ts');
      return auditRotate(context, { now: values.now });
    },
  ).option('--now', 'rotate whatever size and age the file has');
  add(
    audit,
    'verify',
    'check the hash chain, and heads that were left elsewhere',
    help.AUDIT_VERIFY,
    async (context, values) => {
      const { auditVerify } = await import('../commands/others.ts');
      return auditVerify(context, values);
    },
  )
    .option('--anchor <file>', 'a text with heads of the log, - for standard input; repeatable', repeated)
    .option(
      '--anchor-key <key>',
      'whose signed anchors count: a public key, or its file; repeatable',
      repeated,
    );
  add(
    audit,
    'anchor',
    "check the chain and print the log's head, signed where a key is given",
    help.AUDIT_ANCHOR,
    async (context, values) => {
      const { auditAnchor } = await import('../commands/others.ts');
      return auditAnchor(context, values);
    },
  )
    .option('--key <file>', 'sign with this SSH key (or the agent, for a .pub file) through ssh-keygen')
    .option('-o, --output <file>', 'add the line to the end of this file instead of printing it');
}
