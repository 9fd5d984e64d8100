// Makes `npm test`, `npm run demo`, `npm run bench` and `npm pack` work as the first command typed in a clean clone.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const STEPS = {
  build: [['node', 'scripts/build.mjs']],
  test: [
    ['npm', 'run', '--silent', 'types'],
    ['npm', 'run', '--silent', 'lint'],
    ['node', 'scripts/build.mjs'],
    ['node', 'node_modules/vitest/vitest.mjs', 'run'],
  ],
  demo: [
    ['node', 'scripts/build.mjs'],
    ['node', 'build/demo.js'],
  ],
  bench: [
    ['node', 'scripts/build.mjs'],
    ['node', 'bench/run.mjs'],
  ],
  'bench:output': [
    ['node', 'scripts/build.mjs'],
    ['node', 'bench/throughput.mjs'],
  ],
  'bench:providers': [
    ['node', 'scripts/build.mjs'],
    ['node', 'bench/providers.mjs'],
  ],
  crash: [
    ['node', 'scripts/build.mjs'],
    ['node', 'bench/crash.mjs'],
  ],
  'bench:audit': [
    ['node', 'scripts/build.mjs'],
    ['node', 'bench/audit.mjs'],
  ],
  'bench:report': [
    ['node', 'scripts/build.mjs'],
    ['node', 'bench/report.mjs'],
  ],
  'bench:masker': [['node', 'bench/masker.mjs']],
  fuzz: [['node', 'bench/fuzz-masker.mjs']],
};

function run([command, ...args]) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? (signal ? 130 : 1));
}

/** True where what is installed is older than the lock file, or missing. */
function installIsStale() {
  const mark = join(root, 'node_modules', '.package-lock.json');
  return !existsSync(mark) || statSync(mark).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs;
}

const [name, ...extra] = process.argv.slice(2);
const steps = STEPS[name];
if (!steps) throw new Error(`usage: node scripts/first-run.mjs ${Object.keys(STEPS).join('|')}`);
if (installIsStale()) run(['npm', 'ci', '--no-fund', '--no-audit']);
for (const [index, step] of steps.entries()) run(index === steps.length - 1 ? [...step, ...extra] : step);
