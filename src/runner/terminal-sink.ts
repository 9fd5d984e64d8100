/** The real terminal by its name, for what the child writes to its own where none of capwrap's outputs leads there. */
import { closeSync, constants, openSync } from 'node:fs';
import { systemErrorCode } from '../errors.ts';
import type { Sink } from './sink.ts';
import { createQueueSink } from './sink-queue.ts';

/**
 * Opens it when there is something to be written, and closes it afterwards: to an outer run, whoever has its terminal open
 * has a use for it.
 */
export function createTerminalSink(): Sink {
  let open: { readonly fd: number; readonly queue: Sink } | null = null;
  let error: string | null = null;
  let writes = 0;

  function openNow(): Sink | null {
    if (open !== null) return open.queue;
    try {
      const fd = openSync('/dev/tty', constants.O_WRONLY | constants.O_NOCTTY);
      const queue = createQueueSink(fd);
      queue.onRoom = () => sink.onRoom();
      open = { fd, queue };
      return queue;
    } catch (fault) {
      broken(systemErrorCode(fault) ?? 'EIO');
      return null;
    }
  }

  function broken(code: string): void {
    error = code;
    sink.onBroken();
  }

  async function closeAfter(queue: Sink, count: number): Promise<void> {
    const fault = await queue.written();
    if (count !== writes || open === null) return;
    closeSync(open.fd);
    open = null;
    if (fault !== null) broken(fault);
  }

  const sink: Sink = {
    write(data) {
      const queue = error === null && data.length > 0 ? openNow() : null;
      if (queue === null) return true;
      const room = queue.write(data);
      writes += 1;
      void closeAfter(queue, writes);
      return room;
    },
    onRoom: () => {},
    onBroken: () => {},
    written: async () => (await open?.queue.written()) ?? error,
  };
  return sink;
}
