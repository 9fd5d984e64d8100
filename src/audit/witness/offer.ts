/** What becomes of a head that is offered to the witnesses: a failure is said at once, and stops a run where that is asked for. */
import type { SyslogTarget, WitnessSettings } from '../../base/audit-settings.ts';
import { shellQuote } from '../../base/shell-quote.ts';
import { CapwrapError } from '../../errors.ts';
import { leaveHead } from './leave.ts';

export interface Witnesses {
  readonly settings: WitnessSettings;
  readonly warn: (message: string) => void;
}

export interface Offered {
  /** Who hasn't got the head and why, in one line; null where all have it. */
  readonly fault: string | null;
  /** ERR_AUDIT_WITNESS where one of them must have it; else null. */
  readonly unwitnessed: CapwrapError | null;
}

/** `head` is null where the log doesn't tell its id. Never throws for what a witness does. */
export async function offerHead(
  { settings, warn }: Witnesses,
  head: string | null,
  log: string,
): Promise<Offered> {
  const found = head === null ? null : await leaveHead(settings, head, log);
  const faults = [found === null ? `"${log}" has no id` : null, found?.file, found?.syslog].filter(
    (fault) => typeof fault === 'string',
  );
  for (const fault of faults) warn(`the audit log's head was not left with its witness: ${fault}`);
  if (faults.length === 0) return { fault: null, unwitnessed: null };
  const fault = faults.join('; ');
  const hint = found?.file ? fileHint(settings.file ?? '') : syslogHint(settings.syslog);
  return { fault, unwitnessed: settings.required ? required(fault, hint) : null };
}

function required(fault: string, hint: string | undefined): CapwrapError {
  const message = `${fault}, and without that witness of the audit log nothing is issued`;
  return new CapwrapError('ERR_AUDIT_WITNESS', message, { hint });
}

/** What to type where a witness file can't be added to. */
export function fileHint(file: string): string {
  const path = shellQuote(file);
  return `ls -ld ${path}; where it is to be and isn't: touch ${path}`;
}

function syslogHint(target: SyslogTarget | null): string | undefined {
  return target?.kind === 'journald' ? 'systemctl status systemd-journald' : undefined;
}
