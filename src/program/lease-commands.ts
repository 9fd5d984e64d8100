/** The commands for leases that are open. */
import type { Command } from 'commander';
import * as help from '../ui/help.ts';
import type { Add } from './add.ts';

export function addLeaseCommands(add: Add, program: Command): void {
  const leases = add(
    program,
    'leases',
    'list the open leases, and what can end them',
    help.LEASES,
    async (context) => {
      const { leases } = await import('../commands/others.ts');
      return leases(context, {});
    },
  ).helpCommand(false);
  add(
    leases,
    'end <id>',
    'end one; its run is ended with it',
    help.LEASES_END,
    async (context, _values, id) => {
      const { leasesEnd } = await import('../commands/others.ts');
      return leasesEnd(context, { id: id ?? '' });
    },
  );
  add(leases, 'reap', 'close those whose run died', help.LEASES_REAP, async (context) => {
    const { leasesReap } = await import('../commands/others.ts');
    return leasesReap(context, {});
  });
}
