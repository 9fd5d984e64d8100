/** Sinks on real descriptors: pipes, files, devices and sockets. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createSink, type Sink } from '../../src/runner/sink.ts';
import { createQueueSink } from '../../src/runner/sink-queue.ts';
import { tempDir } from '../helpers/cli.ts';
import { until } from './wrapper.ts';

const NOT_LINUX = process.platform !== 'linux';
const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A pipe: its blocking write end, as a caller has it, and a way to read what is in it. */
function openPipe() {
  const path = join(tempDir(), 'pipe');
  expect(spawnSync('mkfifo', [path]).status).toBe(0);
  const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const write = openSync(path, constants.O_WRONLY);
  const open = new Set([read, write]);
  const close = (fd: number) => open.delete(fd) && closeSync(fd);
  closers.push(() => [...open].forEach(close));
  return { read, write, close, take: () => takeFrom(read) };
}

/** What there is to read now, up to 64 KiB; null where there is nothing. */
function takeFrom(fd: number): Buffer | null {
  const bytes = Buffer.alloc(64 * 1024);
  try {
    const length = readSync(fd, bytes);
    return length === 0 ? null : bytes.subarray(0, length);
  } catch {
    return null; // EAGAIN
  }
}

/** Counts what the sink calls. */
function watch(sink: Sink) {
  const seen = { room: 0, broken: 0 };
  sink.onRoom = () => (seen.room += 1);
  sink.onBroken = () => (seen.broken += 1);
  return seen;
}

/** Bytes in which every place is different enough to show a swap or a gap. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32BE((at * 2654435761) >>> 0, at);
  return bytes;
}

/** The flags of a descriptor of this process, as another process that shares it has them. */
function flagsOf(fd: number): string {
  return /^flags:\s*(\S+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '';
}

describe('a pipe', () => {
  it.skipIf(NOT_LINUX)('gets what fits in the very call', () => {
    const pipe = openPipe();
    const sink = createSink(pipe.write);
    const bytes = pattern(40_000);
    expect(sink.write(bytes)).toBe(true);
    expect(pipe.take()?.equals(bytes)).toBe(true);
  });

  it('loses nothing behind a slow reader, and says when there is room again', async () => {
    const pipe = openPipe();
    const sink = createSink(pipe.write);
    const seen = watch(sink);
    const bytes = pattern(1_000_000);
    const got: Buffer[] = [];
    let waits = 0;
    for (let at = 0; at < bytes.length; at += 50_000) {
      const rooms = seen.room;
      if (sink.write(bytes.subarray(at, at + 50_000))) continue;
      waits += 1;
      await until('there is room again', () => {
        const some = pipe.take();
        if (some) got.push(some);
        return seen.room > rooms;
      });
    }
    let over: string | null | undefined;
    void sink.written().then((error) => (over = error));
    await until('all is written', () => {
      for (let some = pipe.take(); some; some = pipe.take()) got.push(some);
      return over !== undefined;
    });
    for (let some = pipe.take(); some; some = pipe.take()) got.push(some);
    expect(over).toBeNull();
    expect(waits).toBeGreaterThan(3);
    expect(Buffer.concat(got).equals(bytes)).toBe(true);
    expect(seen.broken).toBe(0);
  });

  it('needs the memory of a piece until it says so, and no longer', async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1, maxLength: 30 });
    const reads = fc.array(fc.boolean(), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(lengths, reads, fc.boolean(), async (sizes, turns, isBurst) => {
        const pipe = openPipe();
        const sink = createSink(pipe.write);
        const got: Buffer[] = [];
        const take = () => {
          const some = pipe.take();
          if (some) got.push(some);
        };
        let lent: Buffer[] = [];
        const overwrite = () => {
          for (const one of lent) one.fill(0);
          lent = [];
        };
        sink.onRoom = overwrite;
        const pieces = sizes.map((size, index) => Buffer.alloc(size, index + 1));
        for (const [index, piece] of pieces.entries()) {
          const copy = Buffer.from(piece);
          lent.push(copy);
          if (sink.write(copy)) overwrite();
          if (turns[index % turns.length]) take();
          if (!isBurst) await new Promise(setImmediate);
        }
        let isOver = false;
        void sink.written().then(() => (isOver = true));
        await until('all is written', () => {
          for (let before = -1; got.length > before; take()) before = got.length;
          return isOver;
        });
        for (let before = -1; got.length > before; take()) before = got.length;
        expect(Buffer.concat(got).equals(Buffer.concat(pieces))).toBe(true);
        expect(lent).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('takes everything that is written to it although there is no room', async () => {
    const pipe = openPipe();
    const sink = createSink(pipe.write);
    const pieces = Array.from({ length: 40 }, (_, index) => Buffer.alloc(10_000, 65 + (index % 26)));
    const answers = pieces.map((piece) => sink.write(Buffer.from(piece)));
    expect(answers).toContain(false);
    expect(answers.at(-1)).toBe(false);
    const got: Buffer[] = [];
    let over: string | null | undefined;
    void sink.written().then((error) => (over = error));
    await until('all is there', () => {
      for (let some = pipe.take(); some; some = pipe.take()) got.push(some);
      return over !== undefined && got.reduce((sum, { length }) => sum + length, 0) === 400_000;
    });
    expect(Buffer.concat(got).equals(Buffer.concat(pieces))).toBe(true);
  });

  it('whose reader goes away is no error, and is told', async () => {
    const pipe = openPipe();
    const sink = createSink(pipe.write);
    const seen = watch(sink);
    sink.write(Buffer.alloc(200_000)); // more than fits
    pipe.close(pipe.read);
    await until('it is told', () => seen.broken > 0);
    expect(sink.write(Buffer.from('more'))).toBe(true); // dropped, and nothing to wait for
    expect(await sink.written()).toBeNull();
    expect(seen.broken).toBe(1);
  });

  it('whose reader was gone from the beginning is the same', async () => {
    const pipe = openPipe();
    pipe.close(pipe.read);
    const sink = createSink(pipe.write);
    const seen = watch(sink);
    sink.write(Buffer.from('text'));
    await until('it is told', () => seen.broken > 0);
    expect(await sink.written()).toBeNull();
  });

  it.skipIf(NOT_LINUX)('stays as the other processes have it that write to it', async () => {
    for (const extra of [0, constants.O_NONBLOCK]) {
      const path = join(tempDir(), 'pipe');
      spawnSync('mkfifo', [path]);
      const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const write = openSync(path, constants.O_WRONLY | extra);
      closers.push(() => {
        for (const fd of [read, write]) closeSync(fd);
      });
      const before = flagsOf(write);
      const sink = createSink(write);
      sink.write(Buffer.from('text'));
      expect(flagsOf(write)).toBe(before);
      expect(await sink.written()).toBeNull();
      expect(flagsOf(write)).toBe(before);
    }
  });
});

describe('a file', () => {
  it('has everything in the very call', async () => {
    const path = join(tempDir(), 'file');
    const fd = openSync(path, 'w');
    closers.push(() => closeSync(fd));
    const sink = createSink(fd);
    const bytes = pattern(3_000_000);
    expect(sink.write(bytes)).toBe(true);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(await sink.written()).toBeNull();
  });

  it('is appended to, whoever else writes to it', () => {
    const path = join(tempDir(), 'file');
    writeFileSync(path, 'before\n');
    const fd = openSync(path, 'a');
    closers.push(() => closeSync(fd));
    const sink = createSink(fd);
    for (let index = 0; index < 3; index++) {
      sink.write(Buffer.from(`mine ${index}\n`));
      appendFileSync(path, `theirs ${index}\n`);
    }
    const lines = [0, 1, 2].flatMap((index) => [`mine ${index}`, `theirs ${index}`]);
    expect(readFileSync(path, 'utf8')).toBe(['before', ...lines, ''].join('\n'));
  });

  it('goes on where the descriptor stands, and moves it on', () => {
    const path = join(tempDir(), 'file');
    writeFileSync(path, 'xxxxxxxxxx');
    const fd = openSync(path, 'r+');
    closers.push(() => closeSync(fd));
    readSync(fd, Buffer.alloc(4));
    createSink(fd).write(Buffer.from('AB'));
    createSink(fd).write(Buffer.from('CD'));
    expect(readFileSync(path, 'utf8')).toBe('xxxxABCDxx');
  });
});

describe('a device', () => {
  it.skipIf(NOT_LINUX)('that is full is an error, and is told', async () => {
    const fd = openSync('/dev/full', 'w');
    closers.push(() => closeSync(fd));
    const sink = createSink(fd);
    const seen = watch(sink);
    sink.write(Buffer.from('text'));
    expect(await sink.written()).toBe('ENOSPC');
    expect(seen.broken).toBe(1);
    expect(sink.write(Buffer.from('more'))).toBe(true);
    expect(await sink.written()).toBe('ENOSPC');
  });

  it('that swallows everything is none', async () => {
    const fd = openSync('/dev/null', 'w');
    closers.push(() => closeSync(fd));
    const sink = createSink(fd);
    for (let index = 0; index < 50; index++) sink.write(Buffer.alloc(10_000));
    expect(await sink.written()).toBeNull();
  });

  it('that can’t be written to is told by its code', async () => {
    const fd = openSync('/dev/null', 'r');
    closers.push(() => closeSync(fd));
    const sink = createSink(fd);
    sink.write(Buffer.from('text'));
    expect(await sink.written()).toBe('EBADF');
  });
});

/** Both ends of a connection, and the descriptor of one of them, which Node has made non-blocking. */
async function openConnection(): Promise<{
  readonly fd: number;
  readonly far: Socket;
}> {
  const path = join(tempDir(), 'socket');
  const server = createServer({ pauseOnConnect: true });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  // Without reading, it stays open until the test is over, whatever becomes of the other end.
  const near = connect({ path, allowHalfOpen: true }).pause();
  const far = await accepted;
  server.close();
  closers.push(() => {
    for (const socket of [near, far]) socket.destroy();
  });
  for (const socket of [near, far]) socket.on('error', () => undefined);
  const { _handle: handle } = near as unknown as { readonly _handle: { readonly fd: number } };
  return { fd: handle.fd, far };
}

describe('a socket that is non-blocking already', () => {
  it('loses nothing behind a slow reader, and stays as it is', async () => {
    const { fd, far } = await openConnection();
    const before = NOT_LINUX ? '' : flagsOf(fd);
    const sink = createSink(fd);
    const seen = watch(sink);
    const bytes = pattern(2_000_000);
    const answers: boolean[] = [];
    for (let at = 0; at < bytes.length; at += 50_000)
      answers.push(sink.write(bytes.subarray(at, at + 50_000)));
    expect(answers.at(-1)).toBe(false);
    let over: string | null | undefined;
    void sink.written().then((error) => (over = error));
    const got: Buffer[] = [];
    far.on('data', (chunk) => got.push(chunk));
    far.resume();
    await until('all is there', () => over !== undefined && Buffer.concat(got).length === bytes.length);
    expect(over).toBeNull();
    expect(seen.room).toBeGreaterThan(0);
    expect(Buffer.concat(got).equals(bytes)).toBe(true);
    if (!NOT_LINUX) expect(flagsOf(fd)).toBe(before);
  });
});

describe('a queue', () => {
  it('keeps what it was given, although the caller uses the memory again', async () => {
    const pipe = openPipe();
    const sink = createQueueSink(pipe.write);
    const memory = Buffer.alloc(1000);
    let expected = '';
    for (const letter of 'abcdefgh') {
      sink.write(memory.fill(letter));
      expected += letter.repeat(1000);
    }
    memory.fill('!');
    expect(await sink.written()).toBeNull();
    expect(pipe.take()?.toString('latin1')).toBe(expected);
  });

  it('that is empty is written', async () => {
    expect(await createQueueSink(openPipe().write).written()).toBeNull();
    expect(await createSink(openPipe().write).written()).toBeNull();
  });
});
