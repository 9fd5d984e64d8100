/** The mode of the real terminal when this process ends. */
import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * When it ends, Node sets the terminals that its standard descriptors are as it found them. In between, another run on the
 * same terminal (`make -j`) may have begun or ended, and set the mode that is right now; here it is set by whoever has the
 * keyboard alone. Where the child has the real terminal and may leave it in any mode, what Node does is right.
 */
export function leaveModeAtExit(): void {
  process.once('exit', () => {
    for (const fd of [0, 1, 2]) {
      if (!isatty(fd)) continue;
      closeSync(fd);
      openSync('/dev/null', 'r+'); // takes the lowest number that is free
    }
  });
}
