/** The head of the log, left with the witnesses that the settings name: who can write the log can't take it back there. */
import { appendForeign } from '../../base/append-foreign.ts';
import type { WitnessSettings } from '../../base/audit-settings.ts';
import { hostWord } from './host-word.ts';

/**
 * Leaves the head of the log at `log` with each witness. Answers, for one that didn't take it, a sentence without an end,
 * else null. That a witness took it means that the system did: nobody waits for its disk, or for an answer from the network.
 */
export async function leaveHead(
  { file, syslog }: WitnessSettings,
  head: string,
  log: string,
): Promise<{ readonly file: string | null; readonly syslog: string | null }> {
  const fault = file === null ? null : appendForeign(file, fileLine(head), { create: false, not: log });
  return {
    file: fault === null ? null : `"${file}" ${fault}`,
    syslog: syslog === null ? null : await (await import('./syslog.ts')).leaveInSyslog(syslog, head),
  };
}

function fileLine(head: string): string {
  return `${new Date().toISOString()} ${hostWord()} capwrap[${process.pid}]: ${head}`;
}
