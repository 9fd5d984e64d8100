/** `capwrap audit rotate`: what the settings say of the log's files, done now. For a timer; no run waits for it. */
import { dirname } from 'node:path';
import { listArchives } from '../audit/log/archives.ts';
import { compressArchive, isCompressible } from '../audit/log/compress.ts';
import { expiredArchives, retireArchive, rotateLog } from '../audit/log/maintain.ts';
import { NOW } from '../audit/log/rotate.ts';
import { noteRotateRun } from '../audit/log/rotate-run.ts';
import { auditLogFor } from '../audit/open.ts';
import { auditSettings } from '../audit/settings.ts';
import { escapeText, toJson } from '../base/escape.ts';
import { withLock } from '../base/lock.ts';
import type { CommandContext } from '../ui/context.ts';
import { openStateFor } from '../ui/open-state.ts';

export interface AuditRotateOptions {
  /** Rotates whatever size and age the file has. */
  readonly now?: boolean | undefined;
}

interface Done {
  readonly rotated: string | null;
  readonly compressed: readonly string[];
  readonly retired: readonly string[];
  /** Archives whose time is over and that stay all the same. */
  readonly kept: readonly { readonly file: string; readonly why: string }[];
}

/** Rotates where it is due, compresses archives and removes old ones, as the settings say; says what was done. 0. */
export async function auditRotate(context: CommandContext, { now }: AuditRotateOptions): Promise<number> {
  const state = openStateFor(context);
  const log = auditLogFor(context, state);
  // Two timers at once: the second one finds the work done.
  const done = await withLock(`${log.path}.archives.lock`, () =>
    maintain(context, state.dir, log, now ?? false),
  );
  if (context.json) {
    await context.out(`${toJson(done)}\n`);
    return 0;
  }
  const lines = [
    ...(done.rotated === null ? [] : [`rotated: ${done.rotated}`]),
    ...done.compressed.map((name) => `compressed: ${name}`),
    ...done.retired.map((name) => `removed: ${name}`),
    ...done.kept.map(({ file, why }) => `kept although its time is over: ${file}: ${why}`),
  ];
  await context.out(lines.map((line) => `${escapeText(line)}\n`).join(''));
  if (lines.length === 0 && !context.quiet) context.err('nothing is due');
  return 0;
}

async function maintain(
  { ambient, admin }: CommandContext,
  stateDir: string,
  log: ReturnType<typeof auditLogFor>,
  now: boolean,
): Promise<Done> {
  const place = { stateDir, uid: ambient.uid };
  const { rotate, archives } = auditSettings(admin, place);
  const rotated = await rotateLog(log.path, place, now ? NOW : rotate);
  const retired: string[] = [];
  const kept: { file: string; why: string }[] = [];
  for (const expired of archives.keep === null
    ? []
    : await expiredArchives(log.path, archives.keep, new Date())) {
    const { name: file } = expired.archive;
    if (expired.stays !== null) {
      kept.push({ file, why: expired.stays });
      continue;
    }
    await retireArchive(log, expired);
    retired.push(file);
  }
  const compressed: string[] = [];
  const folder = dirname(log.path);
  for (const archive of archives.compress ? listArchives(folder) : [])
    if (isCompressible(folder, archive)) compressed.push(await compressArchive(folder, archive));
  noteRotateRun(stateDir, new Date());
  return { rotated, compressed, retired, kept };
}
