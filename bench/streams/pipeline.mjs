// Runs `COMMAND | CONSUMER` in a shell, so that both have real pipes, and watches COMMAND.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Tells the command's process number on descriptor 3 and becomes the command. */
const ANNOUNCED = 'echo $$ >&3; exec 3>&-; exec "$0" "$@"';

/**
 * Resolves to the milliseconds from start to end, and the command's processor time and peak memory (without /proc, 0).
 * The command has to end with 0, or what was measured was something else; `mayFail` is for a consumer that gives up.
 */
export function runPipeline(argv, consumer, { cwd, env, errors, mayFail = false }) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const script = `{ sh -c '${ANNOUNCED}' "$@"; echo "ended $?" >&3; } | ${consumer}`;
    const stdio = ['ignore', 'pipe', errors, 'pipe'];
    const shell = spawn('sh', ['-c', script, 'sh', ...argv], { cwd, env, stdio });
    const watch = watchProcess(shell.stdio[3]);
    const out = [];
    shell.stdout.on('data', (chunk) => out.push({ chunk, at: process.hrtime.bigint() }));
    shell.on('error', reject);
    shell.on('close', (code) => {
      const ms = performance.now() - started;
      const { status, ...peaks } = watch.stop();
      if (code !== 0 || (status !== '0' && !mayFail)) {
        reject(new Error(`${argv.join(' ').slice(0, 200)} | ${consumer}: ended with ${status}, ${code}`));
      } else resolve({ ms, ...peaks, out });
    });
  });
}

/** The same without a shell, into this program: Node's pipes are sockets. */
export function runIntoSocket([command, ...args], { cwd, env, errors }) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', errors] });
    child.stdout.on('data', () => {});
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== 0) reject(new Error(`${command}: ended with ${code}`));
      else resolve({ ms: performance.now() - started });
    });
  });
}

function watchProcess(announcement) {
  let told = '';
  let peakMb = 0;
  let cpuMs = 0;
  announcement.on('data', (chunk) => {
    told += chunk;
  });
  const timer = setInterval(() => {
    try {
      const folder = `/proc/${/^\d+/.exec(told)}`;
      const status = readFileSync(`${folder}/status`, 'latin1');
      peakMb = Math.max(peakMb, Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
      const fields = readFileSync(`${folder}/stat`, 'latin1').split(') ')[1].split(' ');
      cpuMs = Math.max(cpuMs, (Number(fields[11]) + Number(fields[12])) * TICK_MS);
    } catch {
      // not started, or ended
    }
  }, 10);
  return {
    stop() {
      clearInterval(timer);
      return { peakMb, cpuMs, status: /^ended (\d+)$/m.exec(told)?.[1] };
    },
  };
}

/** Linux counts in hundredths of a second, on every machine. */
const TICK_MS = 10;
