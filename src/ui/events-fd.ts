/** The descriptor of `--events-fd`: one that the caller opened for writing, never one of Node's own. */
import { fstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { CapwrapError, systemErrorCode } from '../errors.ts';

/**
 * Throws ERR_USAGE unless `fd` is open for writing and the caller's. Node's own descriptors (its event queues, and
 * pipes to itself) look open too, and a line written into one of them would end the process half-way. Which is whose
 * the launcher tells (`descriptors`), or else a /proc; without either only the kind is checked.
 */
export function assertEventsFd(fd: number, descriptors: ReadonlySet<number> | null): void {
  if (fd <= 2) return;
  if (descriptors !== null && !descriptors.has(fd)) throw refused(fd);
  let isFifo: boolean;
  try {
    const stat = fstatSync(fd);
    isFifo = stat.isFIFO();
    if (!isFifo && !stat.isFile() && !stat.isSocket() && !stat.isCharacterDevice()) throw refused(fd);
  } catch (error) {
    throw error instanceof CapwrapError ? error : refused(fd);
  }
  try {
    const target = readlinkSync(`/proc/self/fd/${fd}`);
    const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '1';
    const readOnly = (Number.parseInt(flags, 8) & 3) === 0;
    if (readOnly || target.startsWith('anon_inode:') || (isFifo && holdsOtherEnd(fd, target)))
      throw refused(fd);
  } catch (error) {
    if (error instanceof CapwrapError) throw error;
    if (systemErrorCode(error) !== 'ENOENT') throw refused(fd);
  }
}

/** A pipe whose both ends are here is one that Node talks to itself through. */
function holdsOtherEnd(fd: number, target: string): boolean {
  return readdirSync('/proc/self/fd').some((name) => {
    if (name === String(fd) || Number(name) <= 2) return false;
    try {
      return readlinkSync(`/proc/self/fd/${name}`) === target;
    } catch {
      return false; // the descriptor of this very listing
    }
  });
}

function refused(fd: number): CapwrapError {
  return new CapwrapError(
    'ERR_USAGE',
    `"--events-fd ${fd}" is not a descriptor that the caller opened for writing`,
    {
      hint: `open it in the calling shell: ${fd}>events.jsonl`,
    },
  );
}
