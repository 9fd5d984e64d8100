/**
 * A request as the person who answers it sees it. Everything that the caller chose is escaped; long text is folded, and
 * what had to be left out of it is said; what is wider than the last time is marked.
 */

import { formatDuration } from '../base/duration.ts';
import { demandWords } from '../policy/demand-text.ts';
import type { Binding } from './binding.ts';
import type { ApprovalRequest } from './request.ts';
import { changes, type Previous } from './show-changes.ts';
import { commandText, fileText, laidOut } from './show-layout.ts';

/** Lines without line ends, safe for a terminal. */
export function showRequest(request: ApprovalRequest, previous: Previous | null): string[] {
  return [
    `capwrap asks for approval ${request.id}`,
    ...rows(request).flatMap(([label, text]) => laidOut(label, text, label !== 'command')),
    '',
    ...changes(request, previous),
  ];
}

function rows({ binding, demand, host, created_at, answer_by }: ApprovalRequest): [string, string][] {
  const known = (name: keyof Binding & string) => {
    const value = binding[name];
    return value === null ? 'unknown' : `${value} (${binding.sources[name]})`;
  };
  const state = { true: 'clean', false: 'with uncommitted changes' }[String(binding.commit_clean)];
  return [
    ['capability', binding.capability],
    ['command', commandText(binding.command)],
    ['directory', binding.cwd],
    ...binding.files.map((file): [string, string] => ['file', fileText(file)]),
    ...binding.folders.map((folder): [string, string] => [
      'folder',
      `${folder} (what is in it is not bound)`,
    ]),
    ['standard input', inputText(binding.stdin)],
    ...Object.entries(binding.env).map(([name, value]): [string, string] => ['variable', `${name}=${value}`]),
    ['repo', known('repo')],
    ['branch', known('branch')],
    ['commit', `${known('commit')}, ${state ?? 'not known whether clean'}`],
    ['environment', known('environment')],
    ['actor', known('actor')],
    ['asked by', `${binding.user} on ${host} at ${created_at}`],
    ['task', binding.task_id],
    ['justification', binding.justification ?? 'none given'],
    ['credential', `${binding.provider} ${binding.target}`],
    ...binding.scope.map((entry): [string, string] => ['scope', entry]),
    ['ttl', formatDuration(binding.ttl_seconds)],
    ['rule', binding.rule],
    ['map', binding.map_path],
    ['map sha256', binding.map_sha256],
    ['needs', demandWords(demand).join(' ')],
    ['answer by', answer_by],
  ];
}

function inputText(stdin: string): string {
  return stdin.startsWith('file') || stdin === 'closed' || stdin === 'device'
    ? stdin
    : `${stdin} (what comes from it is not bound)`;
}
