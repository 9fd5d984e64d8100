/** What `capwrap doctor` says of the audit log: its files, its chain, and the settings by which it is kept. */

import { lstatSync } from 'node:fs';
import { auditLogPath } from '../audit/log/log.ts';
import { verifyLog } from '../audit/log/verify.ts';
import { placeOfBad, type Verification } from '../audit/log/verify-book.ts';
import { auditSettings, auditSettingsPath } from '../audit/settings.ts';
import { plural } from '../base/plural.ts';
import { assertPrivate, octal } from '../base/private-files.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { statePlace } from '../base/state.ts';
import type { CommandContext } from '../ui/context.ts';
import { type Check, check, look } from './doctor-check.ts';

/** The log, and its settings: without those no run starts. */
export async function lookAtAudit(context: CommandContext): Promise<Check[]> {
  return [
    await look('audit', () => logCheck(context)),
    await look('audit_config', () => settingsCheck(context)),
  ];
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
  const found = await verifyLog(path);
  if (!found.exists) return check('audit', 'ok', `${path} has no record yet`);
  if (!found.ok) {
    const status = found.firstBad === null ? 'warning' : 'problem';
    return check('audit', status, `${path}: ${faultOf(path, found)}`, 'capwrap audit verify');
  }
  const chain = `${path}: ${plural(found.records, 'record')}, the chain is whole up to ${found.head.hash.slice(0, 16)}`;
  return (mode & 0o077) !== 0
    ? check(
        'audit',
        'warning',
        `${chain}; its mode is ${octal(mode)}, and the next run tightens it`,
        `chmod 600 ${shellQuote(path)}`,
      )
    : check('audit', 'ok', chain);
}

function faultOf(path: string, { firstBad, currentMissing }: Verification): string {
  if (firstBad !== null) return `${placeOfBad(path, firstBad)} is bad: ${firstBad.why}`;
  if (currentMissing)
    return 'it is missing or empty; the next run goes on behind its newest archive, and says so';
  return 'its last line is torn; the next record sets it aside';
}

function settingsCheck({ ambient, admin }: CommandContext): Check {
  const stateDir = statePlace(ambient, admin).dir;
  auditSettings(admin, { stateDir, uid: ambient.uid });
  const path = auditSettingsPath(stateDir);
  const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  return check('audit_config', 'ok', isThere ? path : `${path} is not there: the defaults`);
}
