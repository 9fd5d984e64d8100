/** `capwrap audit ship`: sends the log to an OpenTelemetry collector. */
import { auditLogPath } from '../audit/log/log.ts';
import { auditSettings, auditSettingsPath } from '../audit/settings.ts';
import { type Collector, keepConnections } from '../audit/ship/collector.ts';
import { beginAt, cursorPath, readCursor } from '../audit/ship/cursor.ts';
import type { Pauses } from '../audit/ship/deliver.ts';
import { readHeadersFile } from '../audit/ship/headers-file.ts';
import { type ShipNews, type Shipped, ship } from '../audit/ship/ship.ts';
import { shipLockPath, shipperOf } from '../audit/ship/status.ts';
import type { ShipSettings } from '../base/audit-settings.ts';
import { escapeText, toJson } from '../base/escape.ts';
import { withLock } from '../base/lock.ts';
import { openState } from '../base/state.ts';
import { readCaFile } from '../broker/ca-file.ts';
import { CapwrapError } from '../errors.ts';
import type { CommandContext } from '../ui/context.ts';
import { showStatus } from './audit-ship-status.ts';
import { stopOnSignals } from './stop-on-signals.ts';

export interface AuditShipOptions {
  /** Go on until INT or TERM. */
  readonly follow?: boolean;
  /** Only say how far the collector is behind. */
  readonly status?: boolean;
  readonly from?: 'first' | 'cursor' | undefined;
  /** Ends it as a signal would; for tests, as is `times`. */
  readonly signal?: AbortSignal;
  readonly times?: ShipTimes;
}

/** In milliseconds. */
export interface ShipTimes {
  readonly look: number;
  readonly pauses: Pauses;
}

const TIMES: ShipTimes = { look: 1_000, pauses: { first: 1_000, longest: 60_000, patience: 30_000 } };

/**
 * Sends what is behind the cursor. 0; 1 where the collector rejected a record, where one had left the log before it was
 * sent, or where it was interrupted. Throws ERR_CONFIG_INVALID without a collector, ERR_AUDIT_LOCKED while another one
 * sends, and as `ship`.
 */
export async function auditShip(context: CommandContext, options: AuditShipOptions): Promise<number> {
  const { ambient, admin } = context;
  if (options.from !== undefined && (options.follow || options.status)) {
    const other = options.follow ? '--follow' : '--status';
    throw new CapwrapError('ERR_USAGE', `"--from" and "${other}" don't go together`, {
      hint: `first capwrap audit ship --from ${options.from}, then capwrap audit ship ${other}`,
    });
  }
  const { dir } = openState(ambient, admin);
  const settings = auditSettings(admin, { stateDir: dir, uid: ambient.uid }).ship;
  if (settings === null) throw noCollector(dir);
  return options.status ? showStatus(context, dir, settings) : send(context, dir, settings, options);
}

async function send(
  context: CommandContext,
  dir: string,
  settings: ShipSettings,
  options: AuditShipOptions,
): Promise<number> {
  const { uid } = context.ambient;
  const { follow = false, from, times = TIMES } = options;
  const collector = openCollector(settings, uid);
  const cursorFile = cursorPath(dir);
  return withOneShipper(dir, async () => {
    const start = beginAt(from === 'first' ? null : readCursor(cursorFile, uid), settings.endpoint, from);
    if (follow && !context.json && !context.quiet) {
      await context.out(`sending to ${settings.endpoint} from record ${start.head.seq + 1} on\n`);
    }
    const { stop, cut, release } = stopOnSignals(options.signal);
    const tell = (news: ShipNews) => {
      if (news.kind !== 'back' || !context.quiet) context.err(inWords(news));
    };
    try {
      const log = auditLogPath(dir);
      const shipped = await ship(
        { log, cursorFile, collector, follow, lookMs: times.look, pauses: times.pauses, stop, cut, tell },
        start,
      );
      await printShipped(context, shipped);
      const whole = shipped.complete || follow;
      return whole && shipped.rejected === 0 && shipped.missed === 0 ? 0 : 1;
    } finally {
      release();
      collector.connections.destroy();
    }
  });
}

function openCollector({ endpoint, headersFile, caFile }: ShipSettings, uid: number): Collector {
  const ca = readCaFile(caFile, { code: 'ERR_CONFIG_INVALID', place: 'audit.ship' });
  return { endpoint, ca, connections: keepConnections(endpoint), ...readHeadersFile(headersFile, uid) };
}

/** Two would send the same records. */
async function withOneShipper<T>(dir: string, action: () => Promise<T>): Promise<T> {
  const running = shipperOf(shipLockPath(dir));
  if (running !== null) {
    throw new CapwrapError('ERR_AUDIT_LOCKED', `process ${running} is sending this log already`, {
      hint: 'capwrap audit ship --status',
    });
  }
  return withLock(shipLockPath(dir), action, { timeoutMs: 1_000 });
}

function inWords(news: ShipNews): string {
  switch (news.kind) {
    case 'away':
      return `capwrap: warning: ${escapeText(news.why)}; trying again`;
    case 'back':
      return 'the collector is back';
    case 'missed':
      return `capwrap: warning: records ${news.first} to ${news.last} are not in the log any more and could not be sent`;
    case 'rejected': {
      const { first, last } = news.batch;
      const why = news.said === null ? '' : `: ${news.said}`;
      return `capwrap: warning: the collector rejected ${news.count} of the records ${first} to ${last.seq}, and they are not sent again${why}`;
    }
    case 'warning':
      return `capwrap: warning: the collector took everything and says: ${news.said}`;
  }
}

async function printShipped(context: CommandContext, shipped: Shipped): Promise<void> {
  const { cursor, records, rejected, missed, complete } = shipped;
  const { endpoint, head } = cursor;
  if (context.json) {
    await context.out(
      `${toJson({ endpoint, records, rejected, missed, seq: head.seq, hash: head.hash, complete })}\n`,
    );
  } else if (!context.quiet) {
    const none = head.seq === 0 ? 'there is no record yet' : `record ${head.seq} was sent before`;
    const nothing = complete ? `nothing new: ${none}` : 'sent nothing';
    const done = records === 0 ? nothing : `sent ${records} up to record ${head.seq}`;
    await context.out(`${done} (${endpoint})${complete ? '' : '; stopped before the end of the log'}\n`);
  }
}

function noCollector(dir: string): CapwrapError {
  return new CapwrapError('ERR_CONFIG_INVALID', 'no collector is named: "audit.ship" is in no config', {
    hint: `write into ${auditSettingsPath(dir)}: audit: {ship: {endpoint: "https://collector.example:4318"}}`,
  });
}
