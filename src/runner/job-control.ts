/** What a shell's job control needs to know of process groups (POSIX, 3.157 and 11.1). */
import { listProcesses, readProcess } from './process-tree.ts';

/**
 * True where no shell could continue this process's group once it is stopped: no member has a parent in another group
 * of the same session. The terminal's Ctrl-Z does nothing to such a group.
 */
export function inOrphanedGroup(): boolean {
  const self = readProcess(process.pid);
  if (self === null) return true;
  return !listProcesses().some((member) => {
    if (member.group !== self.group) return false;
    const parent = readProcess(member.parent);
    return parent !== null && parent.session === self.session && parent.group !== self.group;
  });
}
