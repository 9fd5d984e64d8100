// What reading and writing a long audit log takes: `npm run bench:audit -- [--records 1000000] [--rounds 3] [--keep FOLDER]`.
// Makes a log of that many records (1.7 GB for a million) in the folder for temporary files, runs the built commands on it,
// and removes it; with --keep it stays, and is used again. Figures are the best round: the rest of the machine only adds to
// them. CPU is that of the command itself.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchAppends } from './audit-append.mjs';
import { RARE, writeBenchLog } from './audit-log.mjs';
import { load } from './bundle.mjs';
import { CAPWRAP, setUpWorkspace } from './workspace.mjs';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    keep: { type: 'string' },
    only: { type: 'string', default: 'read,append' },
  },
});
const records = Number(values.records);
const folder = await realpath(await mkdtemp(join(tmpdir(), 'capwrap-bench-')));
const env = { PATH: process.env.PATH, HOME: folder };
const state = values.keep ?? join(folder, 'log');
try {
  console.log(`Node ${process.versions.node}`);
  const templates = await realRecords();
  if (values.only.includes('read')) await benchReading(templates);
  if (values.only.includes('append')) {
    await benchAppends({ folder, templates, long: existsSync(state) && !values.keep ? state : null });
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function benchReading(templates) {
  if (!existsSync(state)) await makeLog(templates);
  const parts = readdirSync(state).filter((name) => name.startsWith('audit'));
  const size = parts.reduce((sum, name) => sum + statSync(join(state, name)).size, 0);
  const lease = /"lease_id":"(\w+)"/.exec(await lastLine(join(state, 'audit.jsonl')))?.[1];
  console.log(`${records} records in ${parts.length} files, ${(size / 1e6).toFixed(0)} MB on disk`);
  const files = parts.map((name) => `'${join(state, name)}'`);
  const plain = files.map((file) => (file.endsWith(".gz'") ? `gzip -dc ${file}` : `cat ${file}`)).join('; ');
  const capwrap = (...args) => [CAPWRAP, 'audit', ...args];
  const contenders = {
    cat: ['sh', '-c', plain],
    sha256sum: ['sh', '-c', `{ ${plain}; } | sha256sum`],
    'grep, one lease': ['sh', '-c', `{ ${plain}; } | grep -F '"lease_id":"${lease}"'`],
    'audit verify': capwrap('verify'),
    'audit list -n 50': capwrap('list', '-n', '50'),
    'audit list --since 1h': capwrap('list', '--since', '1h'),
    'audit list --lease': capwrap('list', '--lease', lease),
    'audit list --capability (rare)': capwrap('list', '--capability', RARE),
    'audit list --outcome revoke_failed': capwrap('list', '--outcome', 'revoke_failed', '--json'),
    'audit list --json (all)': capwrap('list', '--json'),
    'audit list (all)': capwrap('list'),
    'audit show': capwrap('show', lease),
    'audit tail -n 20': capwrap('tail', '-n', '20'),
    'audit stats': capwrap('stats'),
  };
  const results = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, argv] of Object.entries(contenders)) results[name].push(await measure(argv));
  }
  const floor = best(results.cat).seconds;
  const columns = (...texts) => texts.map((text) => text.padStart(8)).join('');
  console.log('command'.padEnd(36) + columns('s', 'CPU s', 'of cat', 'MiB'));
  for (const [name, rounds] of Object.entries(results)) {
    const { seconds, cpu, mebibytes, status } = best(rounds);
    const own = name.startsWith('audit') ? [cpu.toFixed(2)] : ['-'];
    const row = columns(seconds.toFixed(2), ...own, (seconds / floor).toFixed(1), mebibytes.toFixed(0));
    console.log(name.padEnd(36) + row + (status === 0 ? '' : `  status ${status}`));
  }
}

async function makeLog(templates) {
  const started = performance.now();
  const parts = await load(['src/audit/log/chain.ts', 'src/audit/log/archives.ts']);
  mkdirSync(state, { mode: 0o700 });
  const { sealRecord, archiveName } = parts;
  const made = await writeBenchLog({ folder: state, records, templates, sealRecord, archiveName });
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    `made in ${seconds} s: ${made.leases} runs, ${made.denied} denied, ${made.unfinished} unfinished`,
  );
}

/** Lines: what runs with both kinds of issuer and a denial write. */
async function realRecords() {
  const denied = `  bench-denied:
    provider: local-issuer
    audience: bench
    scope: ["bench:read"]
    rules: [{allow: {repo: acme/another}}]
`;
  const { env, sandbox } = await setUpWorkspace(folder, process.env.PATH, denied);
  try {
    const run = (...args) => measureIn(folder, env, [CAPWRAP, 'run', '--quiet', ...args, '--', '/bin/true']);
    await run('-c', 'bench-local');
    await run('-c', 'bench-sts', '-j', 'a preview of the new landing page');
    await run('-c', 'bench-denied');
    const file = join(folder, '.local', 'state', 'capwrap', 'audit.jsonl');
    return readFileSync(file, 'utf8').trimEnd().split('\n');
  } finally {
    await sandbox.stop();
  }
}

function measure(argv) {
  return measureIn(folder, { ...env, CAPWRAP_HOME: state }, argv);
}

/** Wall-clock and CPU seconds and the peak of resident memory, which are looked at until the process has gone. */
function measureIn(cwd, env, [command, ...args]) {
  const start = performance.now();
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let [peak, cpu] = [0, 0];
  const look = setInterval(() => {
    const now = lookAt(child.pid);
    peak = Math.max(peak, now.peak);
    cpu = Math.max(cpu, now.cpu);
  }, 10);
  child.stderr.resume();
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      clearInterval(look);
      resolve({ seconds: (performance.now() - start) / 1000, cpu, mebibytes: peak, status });
    });
  });
}

/** Mebibytes and seconds; zeros once the process has gone. */
function lookAt(pid) {
  try {
    const peak = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0;
    const ticks = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return { peak: Number(peak) / 1024, cpu: (Number(ticks[11]) + Number(ticks[12])) / 100 };
  } catch {
    return { peak: 0, cpu: 0 };
  }
}

function best(rounds) {
  return rounds.reduce((one, other) => (other.seconds < one.seconds ? other : one));
}

async function lastLine(path) {
  const text = await readFile(path, 'utf8');
  return (
    text
      .trimEnd()
      .split('\n')
      .findLast((line) => line.includes('"event":"closed"')) ?? ''
  );
}
