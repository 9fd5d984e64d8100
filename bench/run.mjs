// Times whole commands side by side and prints ratios: `npm run bench -- [--runs 20] [--node /path/to/node]`.
// The commands take turns, so that a machine that slows down slows all of them; figures are medians.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CAPWRAP, setUpWorkspace } from './workspace.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '15' }, node: { type: 'string' } },
});
const runs = Number(values.runs);
const node = values.node ?? process.execPath;
const nodeVersion = execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim();
const folder = await realpath(await mkdtemp(join(tmpdir(), 'capwrap-bench-')));

// The launcher finds Node on PATH; the one under test stands first.
const PATH = [dirname(node), process.env.PATH].join(delimiter);
const workspace = await setUpWorkspace(folder, PATH);
const { env, mapFile, sandbox } = workspace;

const capwrap = (capability) => [CAPWRAP, 'run', '--quiet', '-c', capability, '--', '/bin/true'];
const contenders = {
  'bare Node': { argv: [node, '-e', '0'] },
  floor: { argv: [node, join(here, 'floor.mjs'), mapFile, '/bin/true'] },
  'capwrap, local issuer': { argv: capwrap('bench-local') },
  'capwrap, aws-sts': { argv: capwrap('bench-sts') },
};
if (await succeeds(['aws', '--version'], { PATH })) {
  contenders['AWS CLI, export, run'] = {
    argv: [join(here, 'aws-cli.sh'), '/bin/true'],
    env: { ...workspace.awsEnv, PATH, STS_URL: sandbox.url, ROLE_ARN: workspace.roleArn },
    every: 5,
  };
} else {
  console.log('AWS CLI: not on this machine, its row is left out');
}

try {
  for (const contender of Object.values(contenders)) {
    contender.times = [];
    for (let warm = 0; warm < 2; warm++) await time(contender);
    contender.times = [];
  }
  for (let round = 0; round < runs; round++) {
    for (const contender of Object.values(contenders)) {
      if (round % (contender.every ?? 1) === 0) contender.times.push(await time(contender));
    }
  }
  report();
} finally {
  await sandbox.stop();
  await rm(folder, { recursive: true, force: true });
}

function report() {
  const floor = median(contenders.floor.times);
  console.log(`Node ${nodeVersion}, ${runs} rounds, wall-clock milliseconds`);
  console.log(`${'command'.padEnd(24)}${'min'.padStart(8)}${'median'.padStart(9)}${'of floor'.padStart(10)}`);
  for (const [name, { times }] of Object.entries(contenders)) {
    const middle = median(times);
    const row = [
      Math.min(...times)
        .toFixed(1)
        .padStart(8),
      middle.toFixed(1).padStart(9),
      `${(middle / floor).toFixed(2)}x`.padStart(10),
    ];
    console.log(name.padEnd(24) + row.join(''));
  }
  const today = contenders['AWS CLI, export, run'];
  if (today) {
    const ratio = median(today.times) / median(contenders['capwrap, aws-sts'].times);
    console.log(`capwrap with aws-sts is ${ratio.toFixed(1)} times as fast as the AWS CLI, export, run`);
  }
}

function time({ argv: [command, ...args], env: own }) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, {
      cwd: folder,
      env: own ?? env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code === 0) resolve(performance.now() - started);
      else reject(new Error(`${command} ended with ${code}`));
    });
  });
}

function succeeds([command, ...args], own) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env: own, stdio: 'ignore' });
    child.on('error', () => resolve(false));
    child.on('exit', (code) => resolve(code === 0));
  });
}

function median(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
