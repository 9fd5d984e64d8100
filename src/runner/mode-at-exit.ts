/** The mode of the real terminal when this process ends. */
import { closeSync, openSync } from 'node:fs';
import { isatty, type ReadStream } from 'node:tty';

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

/**
 * Lets go of a paused stream whose terminal's mode was set. Closed by Node, with libuv 1.49 or newer, it would set
 * the mode as it found it: a job in the background is stopped for that, and another run may have set the one that is
 * right now. So the stream stays, and at the end of this process its descriptor is closed before Node gets to it.
 */
export function closeAtExit(stream: ReadStream): void {
  const handle: unknown = Reflect.get(stream, '_handle');
  const fd = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : null;
  if (typeof fd !== 'number' || fd < 0) {
    stream.destroy();
    return;
  }
  stream.unref();
  process.once('exit', () => {
    if (!stream.destroyed) closeSync(fd);
  });
}
