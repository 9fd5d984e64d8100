/** The commands by which a human answers requests for approval. */
import type { Command } from 'commander';
import * as help from '../ui/help.ts';
import type { Add } from './add.ts';
import { count, duration } from './values.ts';

export function addApprovalCommands(add: Add, program: Command): void {
  add(program, 'approvals', 'list what waits for an approval', help.APPROVALS, async (context, values) => {
    const { approvals } = await import('../commands/others.ts');
    return approvals(context, { all: values.all, request: values.request });
  })
    .option('--all', 'also what is denied, used or over')
    .option('--request <id>', 'print one request, for "capwrap approve --request" on another machine');
  add(
    program,
    'approve [id]',
    'show a whole request and approve it, typed or signed',
    help.APPROVE,
    async (context, values, id) => {
      const { approve } = await import('../commands/others.ts');
      return approve(context, { ...values, id });
    },
  )
    .option('--key <file>', 'sign with this SSH key (or the agent, for a .pub file) through ssh-keygen')
    .option('--uses <count>', 'how many runs it permits, where the rule allows more than one', count)
    .option('--for <duration>', 'how long it stands; default 1h, or less where the rule says so', duration)
    .option(
      '--request <file>',
      'a request of another machine; the answer is printed for "run --approval FILE"',
    )
    .option('--statement', 'print what is to be signed: ssh-keygen -Y sign -n capwrap-approval -f KEY FILE')
    .option('--signed <file>', 'a statement with its signature in FILE.sig');
  add(program, 'deny <id>', 'say no to a request', help.DENY, async (context, values, id) => {
    const { deny } = await import('../commands/others.ts');
    return deny(context, { id: id ?? '', reason: values.reason });
  }).option('--reason <text>', 'why; for whoever asked, and for the record');
}
