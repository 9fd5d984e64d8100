import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundle } from '../helpers/bundle.ts';
import { tempDir } from '../helpers/cli.ts';
import { NO_TERMINALS, onTerminal, type Step } from '../helpers/on-terminal.ts';

const PROGRAM = `
  import { readdirSync } from 'node:fs';
  import { askOnTerminal } from './src/base/tty.ts';
  import { isatty } from 'node:tty';
  const open = () => readdirSync('/dev/fd').filter((fd) => isatty(Number(fd))).length;
  const [timeout, signal] = process.argv.slice(2);
  process.stderr.write('ready\\n'); // closing a socket makes Node look at its standard error, which opens it
  const before = open();
  if (signal) {
    const alive = setInterval(() => {}, 1000);
    await new Promise((resolve) => process.once(signal, resolve) && process.stderr.write('early'));
    clearInterval(alive);
  }
  const answer = await askOnTerminal('line one\\nAnswer: ', {
    ...(Number(timeout) ? { timeoutMs: Number(timeout) } : {}),
    turnsIn: process.env.TURNS,
  });
  await new Promise((resolve) => setImmediate(resolve));
  console.log(JSON.stringify({ answer, leaked: open() - before, handlers: process.listenerCount('SIGINT') }));
`;

let program: string;

beforeAll(async () => {
  program = await bundle(PROGRAM);
});

/** Asks on a terminal while standard input and output lead elsewhere. */
async function ask(steps: readonly Step[], ...args: string[]) {
  const out = join(tempDir(), 'out.json');
  const script = `export TURNS=${tempDir()}; out=$1; shift; exec "$@" < /dev/null > "$out"`;
  const run = await onTerminal(['sh', '-c', script, 'sh', out, process.execPath, program, ...args], steps);
  return { ...run, ...JSON.parse(readFileSync(out, 'utf8')) };
}

const reason = NO_TERMINALS ? ` (skipped: ${NO_TERMINALS})` : '';

describe.skipIf(NO_TERMINALS !== null)(`askOnTerminal on a terminal${reason}`, () => {
  test.each([
    { name: 'a line', type: 'ab12\n', answer: { kind: 'answer', text: 'ab12' } },
    {
      name: 'a carriage return, as the Enter key sends',
      type: 'ab12\r',
      answer: { kind: 'answer', text: 'ab12' },
    },
    { name: 'an empty line', type: '\n', answer: { kind: 'answer', text: '' } },
    { name: 'a corrected line', type: 'ax\u007fb\n', answer: { kind: 'answer', text: 'ab' } },
    { name: 'text beyond ASCII', type: 'grün\n', answer: { kind: 'answer', text: 'grün' } },
    { name: 'Ctrl-C', type: '\u0003', answer: { kind: 'interrupted' } },
    { name: 'Ctrl-D', type: '\u0004', answer: { kind: 'interrupted' } },
  ])('takes $name', async ({ type, answer }) => {
    const run = await ask([{ wait: 'Answer: ', type }]);
    expect(run).toMatchObject({ answer, leaked: 0, handlers: 0, status: 0 });
    expect(run.screen).toContain('line one\r\nAnswer: ');
  });

  test('gives up after the timeout', async () => {
    expect(await ask([], '50')).toMatchObject({
      answer: { kind: 'timeout' },
      leaked: 0,
      handlers: 0,
      status: 0,
    });
  });

  test('throws away what was typed before the question, half a line included', async () => {
    const run = await ask(
      [
        { wait: 'early', type: 'yes\nhalf' },
        { wait: 'half', signal: 'SIGUSR2' }, // the echo shows that the terminal has it
        { wait: 'Answer: ', type: 'now\n' },
      ],
      '0',
      'SIGUSR2',
    );
    expect(run.answer).toEqual({ kind: 'answer', text: 'now' });
  });
});

test('askOnTerminal answers at once without a controlling terminal', async () => {
  const { stdout } = await execa(process.execPath, [program], { detached: true, input: 'yes\n' });
  expect(JSON.parse(stdout)).toEqual({ answer: { kind: 'no_terminal' }, leaked: 0, handlers: 0 });
});
