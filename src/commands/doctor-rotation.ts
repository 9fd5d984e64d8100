/** What `capwrap doctor` says of the files of the audit log: whether it rotates, and what waits for `audit rotate`. */
import { lstatSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { type Archive, listArchives } from '../audit/log/archives.ts';
import { auditLogPath } from '../audit/log/log.ts';
import { lastRotateRun } from '../audit/log/rotate-run.ts';
import { auditSettings } from '../audit/settings.ts';
import type { AuditSettings } from '../base/audit-settings.ts';
import { formatDuration } from '../base/duration.ts';
import { plural } from '../base/plural.ts';
import { octal } from '../base/private-files.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { statePlace } from '../base/state.ts';
import type { CommandContext } from '../ui/context.ts';
import { type Check, check } from './doctor-check.ts';

const NAME = 'audit_rotation';

interface ArchiveFile {
  readonly archive: Archive;
  readonly stat: Stats;
}

/** Judges files by their names, modes and times: none is opened. */
export function rotationCheck({ ambient, admin }: CommandContext): Check {
  const { dir } = statePlace(ambient, admin);
  const settings = auditSettings(admin, { stateDir: dir, uid: ambient.uid });
  const files = listArchives(dir).flatMap((archive) => {
    const stat = lstatSync(join(dir, archive.name), { throwIfNoEntry: false });
    return stat === undefined ? [] : [{ archive, stat }];
  });
  const current = lstatSync(auditLogPath(dir), { throwIfNoEntry: false })?.size ?? 0;
  const lastRun = lastRotateRun(dir, ambient.uid);
  const detail = [
    `${ruleWords(settings)}; the current file has ${sizeWords(current)}`,
    archivesWords(files),
    lastRun === null
      ? 'capwrap audit rotate has not run here'
      : `capwrap audit rotate ran last at ${lastRun}`,
  ].join('; ');
  const loose = files.find(({ stat }) => (stat.mode & 0o077) !== 0 || stat.uid !== ambient.uid);
  if (loose) {
    const { archive, stat } = loose;
    const owner = stat.uid === ambient.uid ? '' : ` and belongs to user ${stat.uid}`;
    const why = `${archive.name} has mode ${octal(stat.mode)}${owner}: others can read or change it`;
    return check(NAME, 'warning', `${detail}; ${why}`, `chmod 600 ${shellQuote(join(dir, archive.name))}`);
  }
  const due = dueWords(settings, files, Date.now());
  return due === null
    ? check(NAME, 'ok', detail)
    : check(NAME, 'warning', `${detail}; ${due}`, 'capwrap audit rotate');
}

function ruleWords({ rotate: { maxBytes, maxAge } }: AuditSettings): string {
  const rules = [
    ...(maxBytes === null ? [] : [`at ${sizeWords(maxBytes)}`]),
    ...(maxAge === null ? [] : [`after ${ageWords(maxAge)}`]),
  ];
  return rules.length === 0 ? 'never rotates' : `rotates ${rules.join(' or ')}`;
}

function archivesWords(files: readonly ArchiveFile[]): string {
  const compressed = files.filter(({ archive }) => archive.compressed).length;
  const bytes = files.reduce((sum, { stat }) => sum + stat.size, 0);
  if (files.length === 0) return 'no archives';
  return `${plural(files.length, 'archive')} with ${sizeWords(bytes)}, of these compressed: ${compressed}`;
}

/** A timer that does it once a day is late with less than this. */
const SLACK_MS = 2 * 86_400_000;

/** What `audit rotate` would have done long ago; null for nothing. An archive's time is that of its last change. */
function dueWords(
  { archives: { compress, keep } }: AuditSettings,
  files: readonly ArchiveFile[],
  now: number,
): string | null {
  const older = (seconds: number) =>
    files.filter(({ stat }) => stat.mtimeMs + seconds * 1000 + SLACK_MS < now);
  const plain = compress ? older(0).filter(({ archive }) => !archive.compressed) : [];
  const over = keep === null ? [] : older(keep);
  const words = [
    ...(plain.length > 0 ? [`to be compressed: ${plain.length}`] : []),
    ...(over.length > 0 ? [`older than archives.keep (${ageWords(keep ?? 0)}): ${over.length}`] : []),
  ];
  return words.length === 0 ? null : `since more than two days, ${words.join(', ')}`;
}

function sizeWords(bytes: number): string {
  return bytes < 1024 ** 2 ? `${Math.ceil(bytes / 1024)} KiB` : `${Math.round(bytes / 1024 ** 2)} MiB`;
}

function ageWords(seconds: number): string {
  return seconds % 86_400 === 0 ? `${seconds / 86_400}d` : formatDuration(seconds);
}
