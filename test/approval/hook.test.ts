import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { LARGEST_ANSWER } from '../../src/approval/answer.ts';
import { askThroughProgram } from '../../src/approval/hook.ts';
import { type ApprovalRequest, requestText } from '../../src/approval/request.ts';
import { SYSTEM_PATH } from '../../src/base/system-path.ts';
import { tempDir } from '../helpers/cli.ts';
import { REQUEST, withBinding } from './samples.ts';

let folder = '';
let request: ApprovalRequest = REQUEST;

beforeEach(() => {
  folder = tempDir();
  request = withBinding({ map_path: join(folder, 'capabilities.yaml') });
});

function script(body: string, head = '#!/bin/sh', mode = 0o755): string {
  const path = join(folder, 'ask.sh');
  writeFileSync(path, `${head}\n${body}\n`);
  chmodSync(path, mode);
  return path;
}

const ask = (body: string, signal = new AbortController().signal) =>
  askThroughProgram([script(body), 'first', 'two words'], request, signal);

const file = (name: string) => readFileSync(join(folder, name), 'utf8');

/** Whether a process is there; one that has ended and waits to be reaped is not. */
function isAlive(pid: string): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const reply = (more: object, id = REQUEST.id) => JSON.stringify({ capwrap_reply: 1, id, ...more });
const APPROVALS = [{ statement: 'a statement', signature: 'a signature' }];

describe('what the program prints', () => {
  test.each<[string, string, object]>([
    [
      'approvals',
      reply({ approvals: APPROVALS }),
      { kind: 'reply', reply: { denied: false, answers: [{ kind: 'signed', ...APPROVALS[0] }] } },
    ],
    [
      'a denial',
      reply({ denied: true, reason: 'not on a Friday' }),
      { kind: 'reply', reply: { denied: true, reason: 'not on a Friday' } },
    ],
    ['nothing', '', { kind: 'none' }],
    ['blanks', ' \n\t\n', { kind: 'none' }],
    ['something else', 'approved!', { kind: 'failed', why: 'printed something that is no answer' }],
    [
      'half of a reply',
      reply({ approvals: APPROVALS }).slice(0, 40),
      { kind: 'failed', why: 'printed something that is no answer' },
    ],
    [
      'bytes that are no text',
      '\u0000\u00ff',
      { kind: 'failed', why: 'printed something that is no answer' },
    ],
    [
      'an answer to another request',
      reply({ approvals: APPROVALS }, '0'.repeat(12)),
      { kind: 'failed', why: 'answered another request' },
    ],
    [
      'a denial of another request',
      reply({ denied: true }, '0'.repeat(12)),
      { kind: 'failed', why: 'answered another request' },
    ],
  ])('%s', async (_what, text, expected) => {
    writeFileSync(join(folder, 'answer'), text);
    expect(await ask('cat answer')).toMatchObject(expected);
  });

  test('more than an answer can be: it is ended', async () => {
    expect(await ask('exec cat /dev/zero')).toEqual({
      kind: 'failed',
      why: `printed more than ${LARGEST_ANSWER} bytes`,
    });
  });

  test('an answer, but with a failure: it is none', async () => {
    writeFileSync(join(folder, 'answer'), reply({ approvals: APPROVALS }));
    expect(await ask('cat answer; exit 3')).toEqual({ kind: 'failed', why: 'ended with 3' });
    expect(await ask('cat answer; kill -TERM $$')).toEqual({ kind: 'failed', why: 'ended with SIGTERM' });
  });

  test('on standard error is dropped', async () => {
    expect(await ask('echo "a secret" >&2; [ ! -t 2 ] || exit 9')).toEqual({ kind: 'none' });
  });
});

describe('the program', () => {
  test('has the request on standard input', async () => {
    await ask('cat > got');
    expect(file('got')).toBe(requestText(request));
  });

  test('has its words, the folder of the map, and no variable but two', async () => {
    process.env['CAPWRAP_TEST_CANARY'] = 'canary';
    try {
      await ask(`tr '\\0' '\\n' < /proc/$$/environ > environ; pwd > cwd; printf '%s\\n' "$@" > words`);
    } finally {
      delete process.env['CAPWRAP_TEST_CANARY'];
    }
    expect(file('environ').trim().split('\n').sort()).toEqual([
      `CAPWRAP_APPROVAL_ID=${REQUEST.id}`,
      `PATH=${SYSTEM_PATH}`,
    ]);
    expect(file('cwd')).toBe(`${folder}\n`);
    expect(file('words')).toBe('first\ntwo words\n');
  });

  test('has no terminal', async () => {
    await ask('(exec < /dev/tty) 2>/dev/null && echo terminal > terminal');
    expect(existsSync(join(folder, 'terminal'))).toBe(false);
  });

  test('need not read the request, however long it is', async () => {
    request = { ...request, binding: { ...request.binding, justification: 'x'.repeat(500_000) } };
    writeFileSync(join(folder, 'answer'), reply({ denied: true }));
    expect(await ask('exec <&-; cat answer')).toMatchObject({ kind: 'reply' });
    expect(await ask('cat answer')).toMatchObject({ kind: 'reply' });
  });

  test.each<[string, () => readonly string[], RegExp]>([
    ['is not there', () => [join(folder, 'none')], /ENOENT/],
    ['is a folder', () => [folder], /EACCES/],
    ['is not executable', () => [script('', '#!/bin/sh', 0o644)], /EACCES/],
    ['has an interpreter that is not there', () => [script('', '#!/none/sh')], /ENOENT/],
    ['is nothing', () => [], /ERR_INVALID_ARG_VALUE/],
    ['has a word with a zero byte', () => [script(''), 'a\0b'], /ERR_INVALID_ARG_VALUE/],
    ['has a word longer than the system takes', () => [script(''), 'x'.repeat(3_000_000)], /E2BIG/],
    ['has a name longer than the system takes', () => [`/${'x'.repeat(5000)}`], /ENAMETOOLONG/],
  ])('that %s has failed', async (_what, argv, why) => {
    const result = await askThroughProgram(argv(), request, new AbortController().signal);
    expect(result).toEqual({ kind: 'failed', why: expect.stringMatching(why) });
  });

  test('whose folder is gone has failed', async () => {
    const gone = withBinding({ map_path: '/none/capabilities.yaml' });
    expect(await askThroughProgram(['/bin/true'], gone, new AbortController().signal)).toMatchObject({
      kind: 'failed',
    });
  });
});

describe('a program that hangs', () => {
  async function abortOnce(started: () => boolean, body: string) {
    const stop = new AbortController();
    const result = ask(body, stop.signal);
    await expect.poll(started, { interval: 5 }).toBe(true);
    stop.abort();
    return result;
  }
  const ENDED = { kind: 'failed', why: 'was ended before it was done' };
  const written = (name: string) => () => existsSync(join(folder, name)) && file(name).endsWith('\n');

  test('is ended with all of its group when nobody waits any more', async () => {
    const body = `trap '' TERM INT HUP
(trap '' TERM INT HUP; echo $$ > self; exec sleep 600) &
echo $! > child
wait`;
    const result = await abortOnce(() => written('child')() && written('self')(), body);
    expect(result).toEqual(ENDED);
    await expect.poll(() => isAlive(file('child').trim()), { interval: 5 }).toBe(false);
  });

  test('is not waited for where a part of it has left the group with its output', async () => {
    const result = await abortOnce(
      written('away'),
      'setsid sh -c "echo \\$\\$ > away; exec sleep 600" &\nwait',
    );
    try {
      expect(result).toEqual(ENDED);
    } finally {
      process.kill(Number(file('away')), 'SIGKILL');
    }
  });

  test('only in a part of it, which it left behind with its output, is not waited for', async () => {
    const result = await ask('sh -c "echo \\$\\$ > left; exec sleep 600" &\nuntil [ -s left ]; do :; done');
    try {
      expect(result).toEqual({ kind: 'none' });
    } finally {
      process.kill(Number(file('left')), 'SIGKILL');
    }
  });

  test('is not started where nobody waits from the start', async () => {
    expect(await ask('exec sleep 600', AbortSignal.abort())).toEqual(ENDED);
  });
});
