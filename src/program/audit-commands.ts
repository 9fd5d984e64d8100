/** The commands about the audit log. */
import { type Command, Option } from 'commander';
import * as help from '../ui/help.ts';
import type { Add } from './add.ts';
import { withFilters, withLeaseFilters } from './audit-filters.ts';
import { count, repeated } from './values.ts';

export function addAuditCommands(add: Add, program: Command): void {
  const audit = program
    .command('audit')
    .description('read the audit log')
    .helpCommand(false)
    .addHelpText('after', help.AUDIT);
  withFilters(
    add(audit, 'list', 'one line per lease, and the denials', help.AUDIT_LIST, async (context, values) => {
      const { auditList } = await import('../commands/others.ts');
      return auditList(context, values);
    }),
  ).option('-n, --last <count>', 'only the last ones', count);
  add(audit, 'show <lease>', "one lease's story", help.AUDIT_SHOW, async (context, _values, lease) => {
    const { auditShow } = await import('../commands/others.ts');
    return auditShow(context, { lease: lease ?? '' });
  });
  add(audit, 'tail', 'the latest records as they are', help.AUDIT_TAIL, async (context, values) => {
    const { auditTail } = await import('../commands/others.ts');
    return auditTail(context, { follow: values.follow ?? false, last: values.last });
  })
    .option('-f, --follow', 'go on printing new records')
    .option('-n, --last <count>', 'how many', count, 10);
  withFilters(
    add(
      audit,
      'stats',
      'per capability: runs, denials, times, scopes, approvals',
      help.AUDIT_STATS,
      async (context, values) => {
        const { auditStats } = await import('../commands/others.ts');
        return auditStats(context, values);
      },
    ),
  );
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
  addReport(add, audit);
  addReconcile(add, audit);
  addShip(add, audit);
  addExport(add, audit);
}

function addShip(add: Add, audit: Command): void {
  add(
    audit,
    'ship',
    'send new records to an OpenTelemetry collector',
    help.AUDIT_SHIP,
    async (context, values) => {
      const { auditShip } = await import('../commands/others.ts');
      return auditShip(context, values);
    },
  )
    .option('--follow', 'go on sending, until INT or TERM')
    .option('--status', 'only say how far the collector is behind')
    .addOption(
      new Option(
        '--from <place>',
        'begin anew, or go on where another address stopped; for a log or a collector that was replaced',
      ).choices(['first', 'cursor']),
    );
}

function addExport(add: Add, audit: Command): void {
  const exported = add(
    audit,
    'export',
    'leases or records for a spreadsheet or a script',
    help.AUDIT_EXPORT,
    async (context, values) => {
      const { auditExport } = await import('../commands/others.ts');
      return auditExport(context, values);
    },
  );
  withFilters(exported)
    .addOption(
      new Option('--format <format>', 'csv, or jsonl: the records as they stand in the log')
        .choices(['csv', 'jsonl'])
        .makeOptionMandatory(),
    )
    .addOption(new Option('--rows <what>', 'of a CSV: leases unless given').choices(['leases', 'records']))
    .option('-o, --output <file>', 'a private file, in place of standard output');
}

function addReport(add: Add, audit: Command): void {
  withLeaseFilters(
    add(
      audit,
      'report',
      'one page for a browser: timeline, filters, stories',
      help.AUDIT_REPORT,
      async (context, values) => {
        const { auditReport } = await import('../commands/others.ts');
        return auditReport(context, values);
      },
    ).requiredOption('-o, --output <file>', 'the page to write; - for standard output'),
  );
}

function addReconcile(add: Add, audit: Command): void {
  add(
    audit,
    'reconcile',
    'hold AWS leases against what CloudTrail recorded',
    help.AUDIT_RECONCILE,
    async (context, values) => {
      const { auditReconcile } = await import('../commands/others.ts');
      return auditReconcile(context, values);
    },
  )
    .option('--lease <id>', 'only this lease; the start of its id is enough')
    .option(
      '--since <time>',
      'only leases issued from then on: a date, or a duration back from now such as 2h',
    )
    .option('--until <time>', 'only leases issued until then')
    .option('--events <path...>', 'exported events: files, or folders as CloudTrail fills them')
    .option('--lookup', 'ask CloudTrail itself (LookupEvents): 90 days, management events only')
    .option('--region <region>', 'a region to ask, or that the files hold; may be given again', repeated)
    .option('--profile <name>', 'whose keys ask, of ~/.aws')
    .addOption(
      new Option('--long-lived <allow>', 'accept a profile whose key never expires').choices(['allow']),
    )
    .option('--endpoint <url>', "instead of the region's own")
    .option('--complete', "state that the files hold every event of the accounts in the leases' time")
    .option('--only-regions', 'state that the leases can be used in the named regions alone')
    .option('--data-events', "state that the trail records data events of all that is in the leases' scope")
    .option('--again', 'also leases whose verdict is final')
    .option('--dry-run', 'record nothing')
    .addOption(
      new Option(
        '--fail-on <verdict>',
        'what makes the status 1: reuse (default), unverifiable, never',
      ).choices(['reuse', 'unverifiable', 'never']),
    );
}
