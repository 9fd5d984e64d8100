/**
 * Who holds a lock, written so that another process can tell later whether that holder is certainly gone. A bare
 * process id can't say that: ids are used again, mean something else in another container, and start anew at boot.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync, statfsSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemErrorCode } from '../errors.ts';
import { readProcStat } from './proc-stat.ts';

/** One instance of holding a lock. Fields that this system can't tell are `-`. */
export interface Holder {
  readonly pid: number;
  /** When the process started: clock ticks since boot, field 22 of proc_pid_stat(5). */
  readonly start: string;
  /** The first twelve digits of the kernel's boot id. */
  readonly boot: string;
  /** Where `pid` and `start` have their meaning: PID and time namespace on Linux, the host name elsewhere. */
  readonly space: string;
  /** Random; tells this instance from every other, of the same process too. */
  readonly nonce: string;
}

/** A fresh instance of this process. */
export function newHolder(): Holder {
  return { ...thisProcess(), nonce: randomBytes(6).toString('hex') };
}

/** One word. On Linux it stays under 60 bytes: a symbolic link that short lives in the inode and costs no block. */
export function formatHolder(holder: Holder): string {
  return [holder.pid, holder.start, holder.boot, holder.space, holder.nonce].join('.');
}

/** Null where the text is no holder. */
export function parseHolder(text: string): Holder | null {
  const match = /^(\d{1,10})\.([0-9a-z-]+)\.([0-9a-f-]+)\.([0-9a-z-]+)\.([0-9a-f]{12})$/.exec(text);
  if (!match) return null;
  const [, pid = '', start = '', boot = '', space = '', nonce = ''] = match;
  return { pid: Number(pid), start, boot, space, nonce };
}

/**
 * True only where the holder can't be running any more. Everything that can't be judged counts as alive: another
 * container's process, another machine's on shared storage, a system without /proc or with that of another namespace.
 *
 * Linux: the same boot and the same namespaces, and no such process with that start time. macOS has no /proc: there
 * the same host name and no process with that id, so that an id in use again looks like a holder that is alive.
 */
export function isDead(holder: Holder, folder: string): boolean {
  const here = thisProcess();
  if (holder.space === '-' || here.space === '-') return false;
  if (process.platform !== 'linux') return holder.space === here.space && !exists(holder.pid);
  if (holder.boot === here.boot) return holder.space === here.space && !runs(holder.pid, holder.start);
  return isOfEarlierBoot(holder, here, folder);
}

/**
 * True only where the holder is certainly a process of this system that runs now, so that its number means that
 * process. False for what can't be judged, and always without /proc.
 */
export function isRunningHere(holder: Holder): boolean {
  const here = thisProcess();
  const sameSystem = holder.space !== '-' && holder.space === here.space && holder.boot === here.boot;
  return process.platform === 'linux' && sameSystem && runs(holder.pid, holder.start);
}

/**
 * Another boot id alone proves nothing: the other kernel may share the storage, and systemd-nspawn gives each
 * container a boot id of its own. Outside of any container, on a file system that one kernel at a time can mount,
 * it means that this machine has been started anew.
 */
function isOfEarlierBoot(holder: Holder, here: Holder, folder: string): boolean {
  const outermost = (space: string) => space.startsWith(INITIAL_PID_NAMESPACE);
  if (!outermost(holder.space) || !outermost(here.space)) return false;
  try {
    return ONE_KERNEL_FILE_SYSTEMS.has(statfsSync(folder).type >>> 0);
  } catch {
    return false;
  }
}

/** PROC_PID_INIT_INO of linux/include/linux/proc_ns.h, as `thisProcess` writes it. */
const INITIAL_PID_NAMESPACE = `${(0xeffffffc).toString(36)}-`;

/** statfs(2): ext2 to ext4, XFS, Btrfs, F2FS, ZFS, bcachefs. */
const ONE_KERNEL_FILE_SYSTEMS = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0xca451a4e]);

let cached: Holder | undefined;

function thisProcess(): Holder {
  cached ??= process.platform === 'linux' ? onLinux() : elsewhere();
  return cached;
}

function onLinux(): Holder {
  try {
    const self = readProcess('self');
    // The /proc of another PID namespace, as a sandbox has that mounts none of its own: numbers mean others there.
    if (self.pid !== process.pid) return unknownHolder();
    return {
      pid: process.pid,
      start: self.start,
      boot: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').replaceAll('-', '').slice(0, 12),
      space: `${namespace('pid')}-${namespace('time', '0')}`,
      nonce: '',
    };
  } catch {
    return unknownHolder();
  }
}

/** This process where the system can't tell what its number means: nobody judges it, and it judges nobody. */
function unknownHolder(): Holder {
  return { pid: process.pid, start: '-', boot: '-', space: '-', nonce: '' };
}

/** Inode of a namespace of this process; `absent` stands for a kind that the kernel doesn't know (time: before 5.6). */
function namespace(kind: 'pid' | 'time', absent?: string): string {
  try {
    return Number(readlinkSync(`/proc/self/ns/${kind}`).replace(/\D/g, '')).toString(36);
  } catch (error) {
    if (absent !== undefined && systemErrorCode(error) === 'ENOENT') return absent;
    throw error;
  }
}

function elsewhere(): Holder {
  const space =
    hostname()
      .toLowerCase()
      .replace(/[^0-9a-z]/g, '-') || '-';
  return { pid: process.pid, start: '-', boot: '-', space, nonce: '' };
}

/** A killed process whose parent hasn't waited for it still has an entry; it counts as gone once all its threads are. */
function runs(pid: number, start: string): boolean {
  try {
    const found = readProcess(pid);
    return found.start === start && !(/[ZX]/.test(found.state) && found.threads <= 1);
  } catch (error) {
    const code = systemErrorCode(error);
    const absent = code === 'ENOENT' || code === 'ESRCH';
    return !absent || exists(pid); // /proc mounted with hidepid hides processes that are there
  }
}

function readProcess(pid: number | 'self'): {
  readonly pid: number;
  readonly state: string;
  readonly threads: number;
  readonly start: string;
} {
  const { pid: number, fields } = readProcStat(pid);
  return {
    pid: number,
    state: fields[0] ?? '',
    threads: Number(fields[17]),
    start: Number(fields[19]).toString(36),
  };
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) !== 'ESRCH';
  }
}
