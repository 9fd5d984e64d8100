/** Where a head can be left, and what is said where it can't. */
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { leaveHead } from '../../../src/audit/witness/leave.ts';
import { leaveInSyslog } from '../../../src/audit/witness/syslog.ts';
import type { SyslogTarget } from '../../../src/base/audit-settings.ts';
import { afterTest } from '../../helpers/after-test.ts';
import { tempDir } from '../../helpers/cli.ts';
import { findTool } from '../../helpers/tools.ts';

const HEAD = `capwrap-head:v1:0123456789abcdef:7:${'ab'.repeat(32)}:fedcba9876543210`;

async function leaveIn(file: string, log = '/nonexistent'): Promise<string | null> {
  return (await leaveHead({ file, syslog: null, required: false }, HEAD, log)).file;
}

describe('a file', () => {
  test('gets a line at its end, whoever owns it and whatever its mode', async () => {
    const file = join(tempDir(), 'heads');
    writeFileSync(file, 'before\n', { mode: 0o662 });
    expect(await leaveIn(file)).toBeNull();
    expect(await leaveIn(file)).toBeNull();
    const [before, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(before).toBe('before');
    expect(lines).toHaveLength(2);
    for (const line of lines)
      expect(line).toMatch(
        new RegExp(`^\\d{4}-[\\d-]+T[\\d:.]+Z [\\w.-]+ capwrap\\[${process.pid}\\]: ${HEAD}$`),
      );
  });

  test.each<[string, (path: string) => void, string]>([
    ['missing', () => undefined, 'is missing'],
    ['a link', (path) => symlinkSync('/dev/null', path), 'is a symbolic link'],
    ['a folder', (path) => mkdirSync(path), 'is not a regular file'],
    ['a FIFO that nobody reads', (path) => execFileSync('mkfifo', [path]), 'is not a regular file'],
    [
      'of two names',
      (path) => {
        writeFileSync(path, '');
        linkSync(path, `${path}.2`);
      },
      'has 2 names (hard links)',
    ],
    ['below a file', (path) => writeFileSync(join(path, '..'), ''), "can't be opened (ENOTDIR)"],
  ])('that is %s gets nothing', async (_name, make, why) => {
    const path = why.includes('ENOTDIR') ? join(tempDir(), 'x', 'heads') : join(tempDir(), 'heads');
    make(path);
    expect(await leaveIn(path)).toBe(`"${path}" ${why}`);
  });

  test('is never created, so that a disk that isn’t mounted is noticed', async () => {
    const path = join(tempDir(), 'heads');
    await leaveIn(path);
    expect(() => readFileSync(path)).toThrow('ENOENT');
  });

  test('is not a device, nor the log under another name', async () => {
    expect(await leaveIn('/dev/full')).toBe('"/dev/full" is not a regular file');
    const log = join(tempDir(), 'audit.jsonl');
    writeFileSync(log, '');
    symlinkSync(join(log, '..'), `${log}.folder`);
    const path = join(`${log}.folder`, 'audit.jsonl');
    expect(await leaveIn(path, log)).toBe(`"${path}" is the audit log itself`);
    expect(readFileSync(log, 'utf8')).toBe('');
  });

  const append = findTool('chattr') !== null && process.getuid?.() === 0;
  test.skipIf(!append)(
    `that can only grow works${append ? '' : ' (skipped: needs root and chattr)'}`,
    async ({ skip }) => {
      const file = join(tempDir(), 'heads');
      writeFileSync(file, 'before\n');
      try {
        execFileSync('chattr', ['+a', file], { stdio: 'ignore' });
      } catch {
        skip('the file system has no append-only files');
      }
      try {
        expect(await leaveIn(file)).toBeNull();
        expect(() => writeFileSync(file, '')).toThrow('EPERM');
        expect(readFileSync(file, 'utf8')).toContain(HEAD);
      } finally {
        execFileSync('chattr', ['-a', file]);
      }
    },
  );
});

/** A server of a stream, and all that its first client sends. */
async function received(server: Server, at: { path: string } | { port: number; host: string }) {
  const text = new Promise<string>((resolve) => {
    server.on('connection', (socket) => {
      let all = '';
      socket.on('data', (chunk) => {
        all += chunk;
      });
      socket.on('end', () => resolve(all));
    });
  });
  server.listen(at);
  await once(server, 'listening');
  afterTest(async () => void server.close());
  return text;
}

const SYSLOG = new RegExp(`^<86>1 \\d{4}-[\\d-]+T[\\d:.]+Z [\\w.-]+ capwrap ${process.pid} head - ${HEAD}$`);

describe('syslog', () => {
  test('over TCP gets a line', async () => {
    const server = createServer();
    const all = (async () => received(server, { port: 0, host: '127.0.0.1' }))();
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await leaveInSyslog({ kind: 'tcp', host: '127.0.0.1', port }, HEAD)).toBeNull();
    const text = await all;
    expect(text.endsWith('\n')).toBe(true);
    expect(text.trimEnd()).toMatch(SYSLOG);
  });

  test('over UDP gets a datagram', async () => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    afterTest(async () => void socket.close());
    const message = once(socket, 'message');
    const { port } = socket.address();
    expect(await leaveInSyslog({ kind: 'udp', host: '127.0.0.1', port }, HEAD)).toBeNull();
    expect(String((await message)[0])).toMatch(SYSLOG);
  });

  test('of the journal gets what services write there', async () => {
    const path = join(tempDir(), 'stdout');
    const server = createServer();
    const all = (async () => received(server, { path }))();
    await once(server, 'listening');
    expect(await leaveInSyslog({ kind: 'journald' }, HEAD, path)).toBeNull();
    expect(await all).toBe(`capwrap\n\n6\n0\n0\n0\n0\n${HEAD}\n`);
  });

  test.each<[string, SyslogTarget, string]>([
    [
      'nobody listens',
      { kind: 'tcp', host: '127.0.0.1', port: 1 },
      '"tcp://127.0.0.1:1" can\'t be written to (ECONNREFUSED)',
    ],
    ['no journal runs', { kind: 'journald' }, '"/nonexistent/stdout" can\'t be written to (ENOENT)'],
  ])('where %s says so', async (_name, target, why) => {
    expect(await leaveInSyslog(target, HEAD, '/nonexistent/stdout')).toBe(why);
  });
});
