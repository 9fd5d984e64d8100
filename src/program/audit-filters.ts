/** The options that say which leases and denials an audit command looks at. */
import type { Command } from 'commander';

/** The same for what shows single records too. */
export function withFilters(command: Command): Command {
  return withLeaseFilters(command)
    .option('--status <status>', 'unfinished, closed, ended, denied, leaked, stopped or error')
    .option('--event <event>', 'with a record of this event');
}

export function withLeaseFilters(command: Command): Command {
  return command
    .option('--capability <name>', 'of this name; here and below, * is anything but /, and ** anything')
    .option('--repo <repo>', 'for this repository, such as acme/web-app or "acme/*"')
    .option('--branch <branch>', 'on this branch')
    .option('--environment <name>', 'for this environment')
    .option('--task <id>', 'asked for by this task')
    .option('--actor <name>', 'asked for by this agent or user')
    .option('--provider <provider>', 'issued by this provider')
    .option('--approver <name>', 'approved by this person, also with others')
    .option('--grade <grade>', 'approved this strongly: terminal, ssh_key, ...; none where nobody was asked')
    .option('--outcome <outcome>', 'whose lease ended so: expires, revoked_verified, revoke_failed, ...')
    .option('--lease <id>', 'the id of the lease, or its start')
    .option('--since <time>', 'begun at or after a date, or a duration back from now such as 2h or 7d')
    .option('--until <time>', 'begun before that');
}
