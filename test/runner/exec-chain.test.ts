import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StartableCommand } from '../../src/runner/command-error.ts';
import { execChain, type Taking } from '../../src/runner/exec-chain.ts';
import type { WrapperOptions } from '../fixtures/run-child.ts';
import { findTool, needs } from '../helpers/tools.ts';
import { line, startPiped } from '../matrix/ground.ts';
import { buildWrapper, removeWrapper, WRAPPER } from './wrapper.ts';

const NOT_LINUX = process.platform !== 'linux';

/** The words with which a tool of the system's begins the chain; none where it isn't there or can't do it. */
function tool(name: string, option: string, words: readonly string[]): readonly string[] {
  const path = [`/usr/bin/${name}`, `/bin/${name}`].find((one) => existsSync(one));
  const help = path ? spawnSync(path, ['--help'], { encoding: 'utf8' }).stdout : '';
  return path && help.includes(option) ? [path, ...words, '--'] : [];
}
const SETPRIV = NOT_LINUX ? [] : tool('setpriv', '--pdeathsig', ['--pdeathsig', 'KILL']);
const SETSID = tool('setsid', '--ctty', ['--ctty']);
const ENV = (signals: string) => tool('env', '--ignore-signal', [`--ignore-signal=${signals}`]);

const command = (over: Partial<StartableCommand> = {}): StartableCommand => ({
  argv: ['cat', '-n'],
  cwd: '/',
  path: '/usr/bin/cat',
  fault: null,
  sha256: null,
  ...over,
});
const PINNED = { sha256: 'ab'.repeat(32) };

describe('the chain of programs that become the command', () => {
  interface Row {
    readonly what: string;
    readonly command?: Partial<StartableCommand>;
    readonly ignored?: readonly NodeJS.Signals[];
    readonly taking?: Taking;
    readonly before: readonly string[];
    readonly end: readonly string[];
  }
  const ROWS: readonly Row[] = [
    { what: 'keeps the typed name', before: SETPRIV, end: ['cat', '-n'] },
    {
      what: 'keeps a typed path, relative as it is',
      command: { argv: ['./x/../cat'], path: '/somewhere/cat' },
      before: SETPRIV,
      end: ['./x/../cat'],
    },
    {
      what: 'names a program whose content is pinned by its path',
      command: PINNED,
      before: SETPRIV,
      end: ['/usr/bin/cat', '-n'],
    },
    {
      what: 'keeps words that look like options apart from the tools’ own',
      command: { argv: ['-x', '--', '--pdeathsig', 'TERM'], path: '/somewhere/-x' },
      before: SETPRIV,
      end: ['-x', '--', '--pdeathsig', 'TERM'],
    },
    {
      what: 'ignores what the caller ignores',
      ignored: ['SIGHUP', 'SIGINT', 'SIGQUIT'],
      before: [...SETPRIV, ...ENV('HUP,INT,QUIT')],
      end: ['cat', '-n'],
    },
    {
      what: 'leaves `env` out for a path with "=", which would be an assignment there',
      command: { argv: ['A=1'], path: '/somewhere/A=1' },
      ignored: ['SIGHUP'],
      before: SETPRIV,
      end: ['A=1'],
    },
    {
      what: 'leaves it out for a folder with "=" as well',
      command: { argv: ['x'], path: '/some=where/x', ...PINNED },
      ignored: ['SIGHUP'],
      before: SETPRIV,
      end: ['/some=where/x'],
    },
    {
      what: 'begins with the terminal of its own',
      taking: 'stdin',
      ignored: ['SIGHUP'],
      before: [...SETSID, ...SETPRIV, ...ENV('HUP')],
      end: ['cat', '-n'],
    },
  ];
  it.each(ROWS)('$what', ({ command: over, ignored = [], taking = null, before, end }) => {
    const given = command(over);
    const { file, argv } = execChain(given, { ignored, taking });
    expect(argv).toEqual([...before, ...end]);
    // Where there is no tool at all, the file that was resolved is started under the typed name.
    expect(file).toBe(before[0] ?? given.path);
  });
});

describe.skipIf(NOT_LINUX)('the child', () => {
  beforeAll(buildWrapper);
  afterAll(removeWrapper);

  /** What a command under the wrapper prints; `setup` is a line of the calling shell. */
  async function out(options: WrapperOptions, setup = ':', before: readonly string[] = []): Promise<string> {
    const words = line([...before, 'sh', WRAPPER, JSON.stringify(options)]);
    const run = startPiped(['/bin/sh', '-c', `${setup}; exec 3>/dev/null; exec ${words}`], {
      cwd: '/',
      env: { PATH: process.env['PATH'] ?? '' },
    });
    expect(await run.ended, run.err()).toEqual({ code: 0, signal: null });
    return run.out();
  }
  const words = (text: string) => text.split('\0').slice(0, -1);

  it('is started under the name and with the words that were typed', async () => {
    const argv = ['cat', '/proc/self/cmdline', '/dev/null', '--', '/dev/null'];
    expect(words(await out({ argv }))).toEqual(argv);
    expect(words(await out({ argv }, "trap '' HUP"))).toEqual(argv);
  });

  it('is started by its path where that was typed', async () => {
    const cat = findTool('cat') ?? '/bin/cat';
    expect(words(await out({ argv: [cat, '/proc/self/cmdline'] }))).toEqual([cat, '/proc/self/cmdline']);
  });

  it('has nothing of the tools before it in its environment', async () => {
    const argv = ['cat', '/proc/self/environ'];
    const plain = await out({ argv });
    expect(words(plain)).toEqual([`PATH=${process.env['PATH']}`]);
    expect(await out({ argv }, "trap '' HUP")).toBe(plain);
  });

  /** Those of the signals that a process ignores. */
  async function ignored(setup: string, before: readonly string[] = []): Promise<string[]> {
    const text = await out({ argv: ['cat', '/proc/self/status'] }, setup, before);
    const mask = BigInt(`0x${/^SigIgn:\s*(\S+)$/m.exec(text)?.[1] ?? '0'}`);
    const names = Object.entries(constants.signals).filter(([, n]) => (mask >> BigInt(n - 1)) & 1n);
    return names.map(([name]) => name.slice(3)).sort();
  }
  const cannot = ENV('HUP').length === 0;

  it.skipIf(cannot)(`ignores what the caller ignores${needs('env')}`, async () => {
    expect(await ignored("trap '' INT QUIT")).toEqual(['INT', 'QUIT']);
    expect(await ignored("trap '' USR1 TSTP")).toEqual(['TSTP', 'USR1']);
    expect(await ignored(':')).toEqual([]);
  });

  it.skipIf(cannot || findTool('nohup') === null)(
    `ignores HUP under nohup${needs('nohup', 'env')}`,
    async () => {
      expect(await ignored(':', ['nohup'])).toEqual(['HUP']);
    },
  );

  it.skipIf(cannot)('ignores INT and QUIT as a job in the background of a script', async () => {
    // A shell without job control has the jobs that it puts there ignore both.
    const options = JSON.stringify({ argv: ['cat', '/proc/self/status'] });
    const script = `exec 3>/dev/null; ${line(['sh', WRAPPER, options])} & wait`;
    const run = startPiped(['/bin/sh', '-c', script], { cwd: '/', env: { PATH: process.env['PATH'] ?? '' } });
    await run.ended;
    const mask = BigInt(`0x${/^SigIgn:\s*(\S+)$/m.exec(run.out())?.[1] ?? '0'}`);
    expect(mask & 0b110n).toBe(0b110n);
  });

  it('is the one process: its parent is the wrapper itself, and nobody else is there', async () => {
    const script = 'echo "$$ $PPID"; cat /proc/$PPID/cmdline /proc/$PPID/task/$PPID/children';
    const text = await out({ argv: ['sh', '-c', script] }, "trap '' HUP");
    const [first = '', rest = ''] = text.split(/\n(.*)/s);
    const [pid] = first.split(' ');
    const parts = rest.split('\0');
    expect(parts[0]).toBe('node');
    expect(parts.at(-1)?.trim()).toBe(pid);
  });
});
