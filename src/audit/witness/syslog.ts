/** Leaving one line with a receiver of syslog that Node can speak to without native code and without a second process. */
import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import type { SyslogTarget } from '../../base/audit-settings.ts';
import { systemErrorCode } from '../../errors.ts';
import { hostWord } from './host-word.ts';

/** Milliseconds for getting the line out. */
const TIMEOUT_MS = 1000;

/** Where systemd's journal listens for the output of services (sd_journal_stream_fd(3)); open to every user. */
const JOURNAL = '/run/systemd/journal/stdout';

/** Null once the line is handed over, else why not, as a sentence without an end. `journal` is the socket of the journal. */
export async function leaveInSyslog(
  target: SyslogTarget,
  head: string,
  journal = JOURNAL,
): Promise<string | null> {
  switch (target.kind) {
    case 'journald':
      return toStream(connect(journal), journalText(head), journal);
    case 'tcp':
      return toStream(connect(target.port, target.host), `${syslogLine(head)}\n`, nameOf(target));
    case 'udp':
      return toDatagram(target, syslogLine(head));
  }
}

/**
 * Null where a connection is accepted, which leaves nothing there; else why not, as above. A receiver over UDP can't be looked
 * at: nobody answers.
 */
export function reachSyslog(
  target: Exclude<SyslogTarget, { kind: 'udp' }>,
  journal = JOURNAL,
): Promise<string | null> {
  return target.kind === 'journald'
    ? connected(connect(journal), journal)
    : connected(connect(target.port, target.host), nameOf(target));
}

/** Facility authpriv, severity info. */
const PRIORITY = 10 * 8 + 6;

/** RFC 5424; over TCP with a line end, as RFC 6587 section 3.4.2 has it. */
function syslogLine(head: string): string {
  return `<${PRIORITY}>1 ${new Date().toISOString()} ${hostWord()} capwrap ${process.pid} head - ${head}`;
}

/** Name, unit, priority (info), no levels in the text, and forwarded to nowhere else; then lines. */
function journalText(head: string): string {
  return `capwrap\n\n6\n0\n0\n0\n0\n${head}\n`;
}

export function nameOf({ kind, host, port }: Extract<SyslogTarget, { port: number }>): string {
  return `${kind}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function toStream(socket: Socket, text: string, name: string): Promise<string | null> {
  return inTime(name, (settle) => {
    socket.on('error', settle);
    socket.end(text, () => settle());
    return () => socket.destroy();
  });
}

function connected(socket: Socket, name: string): Promise<string | null> {
  return inTime(name, (settle) => {
    socket.on('error', settle);
    socket.on('connect', () => settle());
    return () => socket.destroy();
  });
}

function toDatagram(target: Extract<SyslogTarget, { port: number }>, text: string): Promise<string | null> {
  return inTime(nameOf(target), (settle) => {
    const socket = createSocket(target.host.includes(':') ? 'udp6' : 'udp4');
    socket.on('error', settle);
    socket.send(text, target.port, target.host, (error) => settle(error ?? undefined));
    return () => socket.close();
  });
}

/** `start` begins, and returns what ends it. */
function inTime(
  name: string,
  start: (settle: (error?: Error) => void) => () => void,
): Promise<string | null> {
  return new Promise((resolve) => {
    let end = () => {};
    const over = (fault: string | null) => {
      clearTimeout(timer);
      end();
      end = () => {};
      resolve(fault);
    };
    const timer = setTimeout(() => over(`"${name}" took more than ${TIMEOUT_MS} ms`), TIMEOUT_MS);
    end = start((error) =>
      over(error ? `"${name}" can't be written to (${systemErrorCode(error) ?? 'unknown error'})` : null),
    );
  });
}
