/** From a real pipe through the masker: memory that is used again never shows, and memory does not grow. */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRedactor, type Needle } from '../../src/redact/redactor.ts';
import { patientSource } from '../../src/runner/patient-source.ts';
import { pump } from '../../src/runner/pump.ts';
import type { Sink } from '../../src/runner/sink.ts';
import { fromPipe, fromReadable, type Source } from '../../src/runner/source.ts';
import { tempDir } from '../helpers/cli.ts';
import { buildWrapper, removeWrapper, startWrapper, until } from './wrapper.ts';

/** A pipe whose ends are this process's; the write end does not wait. */
function openPipe() {
  const path = join(tempDir(), 'pipe');
  expect(spawnSync('mkfifo', [path]).status).toBe(0);
  const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const write = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  return { read, write };
}

/** Writes all of it, in these pieces, as a child would; waits where the pipe is full. */
async function writeAll(fd: number, chunks: readonly Uint8Array[]): Promise<void> {
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      try {
        at += writeSync(fd, chunk, at);
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe('EAGAIN');
        await new Promise(setImmediate);
      }
    }
    if (chunk.length % 3 === 0) await new Promise(setImmediate);
  }
  closeSync(fd);
}

/**
 * A sink that takes the contract at its word: after `true` it has copied, after `false` it looks at the memory only when
 * it calls for more, some turns later. `turns`: how many; the numbers are gone through again and again.
 */
function lateSink(
  turns: readonly number[],
): Sink & { readonly text: () => Buffer; readonly waits: () => number } {
  const taken: Buffer[] = [];
  let pending: Buffer[] = [];
  let count = 0;
  let waits = 0;
  const settle = () => {
    taken.push(...pending.map((one) => Buffer.from(one)));
    pending = [];
  };
  const sink = {
    write(data: Buffer) {
      if (data.length === 0) return pending.length === 0;
      if (pending.length > 0) {
        pending.push(data);
        return false;
      }
      const wait = turns[count++ % turns.length] ?? 0;
      if (wait === 0) {
        taken.push(Buffer.from(data));
        return true;
      }
      waits += 1;
      pending.push(data);
      void later(wait).then(() => {
        settle();
        sink.onRoom();
      });
      return false;
    },
    onRoom: () => {},
    onBroken: () => {},
    written: async () => {
      while (pending.length > 0) await later(1);
      return null;
    },
    text: () => Buffer.concat(taken),
    waits: () => waits,
  };
  return sink;
}

async function later(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
}

function needle(text: string): Needle {
  return { bytes: Buffer.from(text), name: 'S' };
}

/** Bytes that show a swap, a gap or a repetition of any size. */
function counted(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed || 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[at] = (state >>> 16) & 0x7f;
  }
  return bytes;
}

async function carry(chunks: readonly Uint8Array[], turns: readonly number[], needles: readonly Needle[]) {
  const { read, write } = openPipe();
  let eofs = 0;
  const sink = lateSink(turns);
  const { done } = pump(
    fromPipe(read, () => (eofs += 1)),
    createRedactor(needles),
    sink,
    { onHit: () => {}, isEnded: () => false },
  );
  await Promise.all([writeAll(write, chunks), done]);
  await sink.written();
  expect(eofs).toBe(1);
  return sink;
}

describe('what comes out of a pipe', () => {
  it('is what was written, however it was cut and however slow the sink is', async () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 70_000 })), {
      minLength: 1,
      maxLength: 12,
    });
    const turns = fc.array(fc.nat(3), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(sizes, turns, fc.nat(), async (lengths, waits, seed) => {
        const chunks = lengths.map((length, index) => counted(length, seed + index));
        const sink = await carry(chunks, waits, [needle('never there at all')]);
        expect(sink.text().equals(Buffer.concat(chunks))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('is masked the same way: what is held back is put in front of the next piece’s memory', async () => {
    const secret = 'k3y-0123456789-abcdefghij';
    // Whole ones, beginnings that go on otherwise, and beginnings that are cut in two by a pause.
    const piece = fc.oneof(
      fc.constantFrom(secret, secret.slice(0, 9), secret.slice(9), secret.slice(0, -1), 'k', 'k3', '\n'),
      fc.integer({ min: 1, max: 30_000 }).map((length) => 'k3y-'.repeat(length / 4)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { minLength: 1, maxLength: 30 }),
        fc.array(fc.nat(2), { minLength: 1, maxLength: 5 }),
        async (pieces, waits) => {
          const chunks = pieces.filter(Boolean).map((text) => Buffer.from(text));
          const sink = await carry(chunks, waits, [needle(secret)]);
          // The text is ASCII and the secret has no beginning that is its own end, so a plain search will do.
          expect(sink.text().toString()).toBe(pieces.join('').replaceAll(secret, '[capwrap:S]'));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('waits for a slow sink instead of being kept', async () => {
    const chunks = Array.from({ length: 30 }, (_, index) => counted(60_000, index));
    const sink = await carry(chunks, [2], []);
    expect(sink.text().equals(Buffer.concat(chunks))).toBe(true);
    expect(sink.waits()).toBeGreaterThan(10);
  });
});

/** Each source, of a pipe's read end. */
const SOURCES: readonly (readonly [string, (fd: number) => Source])[] = [
  ['a pipe', (fd) => fromPipe(fd, () => {})],
  ['a stream', (fd) => fromReadable(new Socket({ fd, readable: true, writable: false }), () => {})],
  [
    "the child's terminal",
    (master) =>
      patientSource({ master, isOpen: false, onEof: () => {}, onLook: () => {}, onClose: () => {} }),
  ],
];

it.each(SOURCES)('a source that was closed before it is started ends then: %s', async (_, create) => {
  const pipe = openPipe();
  const source = create(pipe.read);
  source.close();
  await until('it is closed', () => source.closed);
  let ends = 0;
  source.start({ onData: () => true, onEnd: () => (ends += 1) });
  expect(ends).toBe(1);
  closeSync(pipe.write);
});

describe('a source of a pipe', () => {
  function read(source: Source, onData: (chunk: Uint8Array, room: number) => boolean) {
    const seen = { ends: 0 };
    source.start({ onData, onEnd: () => (seen.ends += 1) });
    return seen;
  }

  it('tells of memory before each piece that may be written to', async () => {
    const pipe = openPipe();
    const got: string[] = [];
    const source = fromPipe(pipe.read, () => {});
    const seen = read(source, (chunk, room) => {
      got.push(Buffer.from(chunk).toString());
      expect(room).toBeGreaterThan(1000);
      expect(chunk.byteOffset).toBeGreaterThanOrEqual(room);
      new Uint8Array(chunk.buffer, chunk.byteOffset - room, room).fill(0x21);
      return true;
    });
    for (const text of ['one', 'two']) {
      writeSync(pipe.write, text);
      await until('it has come', () => got.at(-1) === text);
    }
    closeSync(pipe.write);
    await until('it has ended', () => seen.ends === 1);
    expect(got).toEqual(['one', 'two']);
  });

  it('hands out little more until all is taken, and leaves what it handed out as it is', async () => {
    const pipe = openPipe();
    const held: Uint8Array[] = [];
    let text = '';
    let needs = true;
    const source = fromPipe(pipe.read, () => {});
    const seen = read(source, (chunk) => {
      text += Buffer.from(chunk).toString();
      if (needs) held.push(chunk);
      return !needs;
    });
    const write = (number: number) => writeSync(pipe.write, String(number));
    // 1. It reads until it has little memory left.
    let count = 0;
    for (let before = -1; held.length > before; ) {
      before = held.length;
      write(count++);
      await later(20);
    }
    expect(held.length).toBeLessThan(6);
    // 2. For a reader that still needs all that, and copies from now on, there is some.
    needs = false;
    source.resume();
    for (; count < 9; count++) {
      await until('the rest has come', () => text.length === count);
      write(count);
    }
    expect(Buffer.concat(held).toString()).toBe('012345678'.slice(0, held.length));
    // 3. When all is taken it goes on.
    source.taken();
    write(9);
    await until('that has come', () => text === '0123456789');
    closeSync(pipe.write);
    await until('it has ended', () => seen.ends === 1);
  });

  it('ends once when it is closed, and the writer meets that', async () => {
    const pipe = openPipe();
    const source = fromPipe(pipe.read, () => {});
    const seen = read(source, () => true);
    expect(source.closed).toBe(false);
    source.close();
    source.close();
    await until('it has ended', () => seen.ends > 0);
    await later(5);
    expect([seen.ends, source.closed]).toEqual([1, true]);
    expect(() => writeSync(pipe.write, 'text')).toThrow(/EPIPE/);
    closeSync(pipe.write);
  });
});

describe('a slow reader', () => {
  beforeAll(buildWrapper);
  afterAll(removeWrapper);

  it('of 200 MB gets all of it, and the wrapper’s memory stays flat', async () => {
    const size = 200 * 1024 * 1024;
    const baseline = await startWrapper({ argv: ['true'] }).ended;
    const line = 'a line of a build log that is as long as such lines are, more or less: /usr/include/x.h';
    const wrapper = startWrapper(
      {
        argv: ['sh', '-c', `yes '${line}' | head -c ${size}`],
        secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfi+YEXAMPLEKEY',
      },
      { read: false },
    );
    const stdout = wrapper.process.stdio[1];
    const whole = Buffer.from(`${line}\n`);
    let received = 0;
    let wrong = 0;
    let before = 0;
    stdout?.on('data', (chunk: Buffer) => {
      // One place of each piece is enough to show that pieces are in order and none is missing.
      if (chunk[0] !== whole[received % whole.length]) wrong += 1;
      received += chunk.length;
      if (received - before < 8 * 1024 * 1024) return;
      before = received;
      stdout.pause();
      setTimeout(() => stdout.resume(), 20); // that is what makes it slow
    });
    const { code, result } = await wrapper.ended;
    expect([code, received, wrong]).toEqual([0, size, 0]);
    expect((result?.maxRssMb ?? 999) - (baseline.result?.maxRssMb ?? 0)).toBeLessThan(60);
  });
});
