/** What `capwrap doctor` says of the audit log: its end, and how it is kept. Takes the same time however long the log is. */
import { lstatSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { withBook } from '../audit/log/book.ts';
import { auditLogPath } from '../audit/log/log.ts';
import { type EndCheck, verifyEnd } from '../audit/log/verify-end.ts';
import { parseRecord, textAt } from '../audit/record/stored-record.ts';
import { auditSettings, auditSettingsPath } from '../audit/settings.ts';
import { plural } from '../base/plural.ts';
import { assertPrivate, octal } from '../base/private-files.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { statePlace } from '../base/state.ts';
import type { CommandContext } from '../ui/context.ts';
import { type Check, check, look, lookAside } from './doctor-check.ts';
import { rotationCheck } from './doctor-rotation.ts';
import { shipCheck } from './doctor-ship.ts';
import { lookAtWitnesses } from './doctor-witness.ts';

/** The log, and its settings: without those no run starts. `offline` asks no witness on another machine. */
export async function lookAtAudit(context: CommandContext, offline: boolean): Promise<Check[]> {
  const settings = await look('audit_config', () => settingsCheck(context));
  const log = await look('audit', () => logCheck(context));
  if (settings.status === 'problem') return [log, settings];
  return [
    log,
    settings,
    await lookAside('audit_rotation', () => rotationCheck(context)),
    ...(await lookAtWitnesses(context, offline)),
    await lookAside('audit_ship', () => shipCheck(context)),
  ];
}

interface LogEnd extends EndCheck {
  /** True where the records at the end are all that there are. */
  readonly isAll: boolean;
  readonly currentMissing: boolean;
}

async function logCheck({ ambient, admin }: CommandContext): Promise<Check> {
  const path = auditLogPath(statePlace(ambient, admin).dir);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  const mode = stat?.mode ?? 0;
  if (stat) {
    // A loose mode is for the next run to tighten; all else keeps a run from starting.
    stat.mode &= ~0o077;
    assertPrivate(path, stat, ambient.uid);
  }
  const end = await endOf(path);
  if (end === null || (end.isAll && end.last === null && end.bad === null && !end.torn))
    return check('audit', 'ok', `${path} has no record yet`);
  const warning = (detail: string, fix: string | null) =>
    check('audit', 'warning', `${path}: ${detail}`, fix);
  if (end.bad !== null) {
    const place = end.head.seq === 0 ? 'its first line' : `the line behind record ${end.head.seq}`;
    return check('audit', 'problem', `${path}: ${place} is bad: ${end.bad}`, 'capwrap audit verify');
  }
  if (end.currentMissing)
    return warning(
      'it is missing or empty; the next run goes on behind its newest archive, and says so',
      'capwrap audit verify',
    );
  if (end.torn)
    return warning('its last line is torn; the next record sets it aside', 'capwrap audit verify');
  const chain = chainWords(end);
  if ((mode & 0o077) !== 0)
    return warning(
      `${chain}; its mode is ${octal(mode)}, and the next run tightens it`,
      `chmod 600 ${shellQuote(path)}`,
    );
  const unwitnessed = textAt(parseRecord(end.last ?? Buffer.alloc(0)) ?? {}, 'witness_error');
  if (unwitnessed !== undefined)
    return warning(`${chain}; its last record says that a head was not left: ${unwitnessed}`, null);
  return check('audit', 'ok', `${path}: ${chain}`);
}

/** Looks again where a record was being written just then. */
async function endOf(path: string): Promise<LogEnd | null> {
  for (let looks = 1; ; looks++) {
    const end = await withBook(path, ({ current, archives, currentMissing }) => {
      const found = verifyEnd(current);
      return { ...found, currentMissing, isAll: archives.length === 0 && found.begin.seq === 0 };
    });
    if (end === null || looks === 3 || !(end.torn || end.currentMissing)) return end;
    await sleep(20);
  }
}

function chainWords({ records, head, isAll }: LogEnd): string {
  const hash = head.hash.slice(0, 16);
  return isAll
    ? `${plural(records, 'record')}, the chain is whole up to ${hash}`
    : `the chain of its last ${plural(records, 'record')} is whole up to record ${head.seq}, ${hash}; what is before them was not looked at: capwrap audit verify`;
}

function settingsCheck({ ambient, admin }: CommandContext): Check {
  const stateDir = statePlace(ambient, admin).dir;
  auditSettings(admin, { stateDir, uid: ambient.uid });
  const path = auditSettingsPath(stateDir);
  const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  const ofAdmin = Object.keys(admin.audit);
  const fixed = ofAdmin.length === 0 ? '' : `; set by the administrator: ${ofAdmin.join(', ')}`;
  return check('audit_config', 'ok', `${isThere ? path : `${path} is not there: the defaults`}${fixed}`);
}
